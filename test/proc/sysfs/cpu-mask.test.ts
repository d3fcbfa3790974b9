import t from 'tap'
import { parseCpuMask, renderCpuMask } from '../../../src/proc/sysfs/cpu-mask.ts'

/** As lib/test_bitmap.c and hosts write them. */
const MASKS: [text: string, cpus: number[]][] = [
  ['3', [0, 1]],
  ['1', [0]],
  ['00', []],
  ['0f', [0, 1, 2, 3]],
  ['80000000', [31]],
  ['1,00000000', [32]],
  ['00,00000000,00005555', [0, 2, 4, 6, 8, 10, 12, 14]],
  ['ff,00000000,00000001', [0, 64, 65, 66, 67, 68, 69, 70, 71]],
]

t.test('a mask lists CPUs, and is written as wide as it was', async t => {
  for (const [text, cpus] of MASKS) {
    t.strictSame(parseCpuMask(`${text}\n`), cpus, text)
    t.equal(renderCpuMask(cpus, `${text}\n`), text)
  }
  t.equal(renderCpuMask([0], 'ff,00000000,00000001\n'), '00,00000000,00000001')
})

t.test('a mask grows where its numbers need that', async t => {
  t.equal(renderCpuMask([33], '3\n'), '2,00000000')
  t.equal(renderCpuMask([], ''), '0')
})

t.test('other text is no mask', async t => {
  for (const text of ['', '\n', '0-3', '1,2', 'xyz', '123456789', '1,,00000000', ' (null)'])
    t.equal(parseCpuMask(text), undefined, text)
})
