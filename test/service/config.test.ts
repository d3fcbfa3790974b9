import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DEFAULT_OPTIONS } from '../../src/proc/options.ts'
import { parseConfig, readDefaults } from '../../src/service/config.ts'

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

t.test('anything else is refused, by the name of its file', async t => {
  t.throws(() => parseConfig('{', 'a.json'), /Cannot read a.json: it holds no JSON/)
  for (const text of ['[]', '7', 'null', '"x"']) {
    t.throws(() => parseConfig(text, 'a.json'), /Cannot read a.json: it must hold an object/)
  }
  t.throws(() => parseConfig('{"swap":1}', 'a.json'), /swap 1 in a.json/)
})
