import t from 'tap'
import { readOptions } from '../../src/oci/annotations.ts'

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
