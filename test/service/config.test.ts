import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DEFAULT_OPTIONS, parseOptions } from '../../src/proc/options.ts'
import { parseConfig, readDefaults, readServiceOptions } from '../../src/service/config.ts'

t.test('a configuration sets what it names', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'procveil-config-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const config = join(directory, 'config.json')
  t.throws(() => readDefaults({ config }), {
    message: `Cannot read the configuration ${config}`,
    cause: { code: 'ENOENT' },
  })
  writeFileSync(config, '{ "uptime": "host", "files": ["meminfo"] }\n')
  t.strictSame(readDefaults({ config }), {
    ...DEFAULT_OPTIONS,
    uptime: 'host',
    files: ['proc/meminfo'],
  })
})

t.test('what the service does is no option of containers', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'procveil-config-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const config = join(directory, 'config.json')
  const given = (text: string) => {
    writeFileSync(config, text)
    return [readServiceOptions({ config }).watch, readDefaults({ config }).uptime]
  }
  t.strictSame(given('{ "watch": "on", "uptime": "host" }'), ['on', 'host'])
  t.strictSame(given('{ "watch": "off" }'), ['off', 'container'])
  t.strictSame(given('{}'), ['off', 'container'])
  for (const read of [readDefaults, readServiceOptions]) {
    writeFileSync(config, '{ "watch": true }')
    t.throws(() => read({ config }), /Cannot use watch true in .*: it must be off or on/)
  }
  t.throws(() => parseConfig('{"wach":"on"}', 'a.json'), /must be one of .*v1SwapTotal, watch$/)
  t.throws(() => parseOptions({ watch: 'on' }, 'annotation a'), /Cannot use option "watch"/)
})

t.test('anything else is refused, by the name of its file', async t => {
  t.throws(() => parseConfig('{', 'a.json'), /Cannot read a.json: it holds no JSON/)
  for (const text of ['[]', '7', 'null', '"x"']) {
    t.throws(() => parseConfig(text, 'a.json'), /Cannot read a.json: it must hold an object/)
  }
  t.throws(() => parseConfig('{"swap":1}', 'a.json'), /swap 1 in a.json/)
})
