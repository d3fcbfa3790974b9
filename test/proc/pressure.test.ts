import t from 'tap'
import { DEFAULT_OPTIONS, type Options } from '../../src/proc/options.ts'
import { type PressureResource, renderPressure } from '../../src/proc/pressure.ts'
import type { View } from '../../src/proc/view.ts'

const text = (total: number) =>
  `some avg10=0.12 avg60=0.05 avg300=0.01 total=${total}\n` +
  `full avg10=0.00 avg60=0.00 avg300=0.00 total=${total}\n`
const HOST = text(999)
const FULL = 'full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n'

function view(own: Record<string, string>, options: Partial<Options> = {}): View {
  return {
    options: { ...DEFAULT_OPTIONS, ...options },
    pressure: file => own[file],
    hostFile: path => {
      if (path.startsWith('proc/pressure/')) return HOST
      throw new Error(`Cannot read ${path}`)
    },
  } as View
}

t.test("each file is the text of the cgroup's", async t => {
  const own = {
    'cpu.pressure': text(1),
    'io.pressure': text(2),
    'memory.pressure': text(3),
    'irq.pressure': FULL,
  }
  t.equal(renderPressure(view(own), 'cpu'), text(1))
  t.equal(renderPressure(view(own), 'io'), text(2))
  t.equal(renderPressure(view(own), 'memory'), text(3))
  t.equal(renderPressure(view(own), 'irq'), FULL, 'irq has no line "some"')
})

t.test('an older kernel has no line "full" for cpu', async t => {
  const some = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n'
  t.equal(renderPressure(view({ 'cpu.pressure': some }), 'cpu'), some)
})

t.test("what is not counted by cgroup is the host's", async t => {
  for (const resource of ['cpu', 'io', 'memory', 'irq'] as PressureResource[]) {
    t.equal(renderPressure(view({}), resource), HOST)
  }
  t.equal(renderPressure(view({ 'io.pressure': '' }), 'io'), HOST, 'an empty file')
  t.equal(renderPressure(view({ 'io.pressure': '?\n' }), 'io'), HOST, 'a damaged file')
})

t.test("the option shows the host's", async t => {
  t.equal(renderPressure(view({ 'io.pressure': text(2) }, { pressure: 'host' }), 'io'), HOST)
})

t.test('a missing last newline is added', async t => {
  t.equal(renderPressure(view({ 'irq.pressure': FULL.trimEnd() }), 'irq'), FULL)
})
