import t from 'tap'
import { readOptions, setsOption, wantsFiles } from '../../src/oci/annotations.ts'

t.test('annotations of our name set options', async t => {
  const refused: unknown[] = []
  const options = readOptions(
    {
      'io.procveil.cpuQuota': 'off',
      'io.procveil.files': 'meminfo,stat',
      'io.procveil.swap': 'maybe',
      'io.procveil.colour': 'red',
      'io.kubernetes.cri.sandbox-id': 'x',
    },
    error => refused.push(error),
  )
  t.strictSame(options, { cpuQuota: 'off', files: ['proc/meminfo', 'proc/stat'] })
  t.match(refused.map(String), [
    /swap "maybe" in annotation io.procveil.swap: it must be on or off/,
    /option "colour" in annotation io.procveil.colour/,
  ])
})

t.test('whether there are files at all is no option', async t => {
  const refused: unknown[] = []
  const annotations: Record<string, string> = {
    'io.procveil.enabled': 'off',
    'io.procveil.swap': 'off',
  }
  t.strictSame(
    readOptions(annotations, error => refused.push(error)),
    { swap: 'off' },
  )
  t.strictSame(refused, [])
  t.strictSame(Object.keys(annotations).map(setsOption), [false, true])
  const wants = (value: string | undefined) => wantsFiles(() => value)
  t.strictSame(['on', 'true', 'off', 'false'].map(wants), [true, true, false, false])
  t.strictSame([undefined, '', 'yes', 'constructor'].map(wants), Array(4).fill(undefined))
})
