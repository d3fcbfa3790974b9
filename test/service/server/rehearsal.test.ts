import t from 'tap'
import { Host } from '../../../src/host/host.ts'
import { FILES } from '../../../src/proc/files.ts'
import type { View } from '../../../src/proc/view.ts'
import { rehearse } from '../../../src/service/server/rehearsal.ts'
import { fakeBackend } from '../../filesystem/fake-backend.ts'
import { TestClock } from '../../machines/machine.ts'

t.test('every file is rendered, and nothing of it is left', async t => {
  const backend = fakeBackend()
  backend.count = () => t.fail('it is not counted')
  backend.render = () => t.fail('readers see nothing of it') as never
  backend.ofSlot = () => t.fail('the view is its own') as never
  backend.retain = () => t.fail('the kernel holds no node')
  const rendered = new Map<string, number>()
  for (const file of FILES) {
    t.teardown(
      (render => () => {
        file.render = render
      })(file.render),
    )
    file.render = () => {
      rendered.set(file.path, (rendered.get(file.path) ?? 0) + 1)
      return 'text\n'
    }
  }
  let closed = 0
  const view = { close: () => closed++ } as unknown as View & { close(): void }
  const steps = rehearse(new Host('/nowhere', new TestClock()), backend, view)
  let count = 0
  while (!steps.next().done) count++
  t.equal(rendered.size, FILES.length)
  t.strictSame(new Set(rendered.values()).size, 1)
  const [times = 0] = rendered.values()
  t.equal(count, times * FILES.length * 4, 'one step a request: OPEN, twice READ, RELEASE')
  t.equal(backend.handles.size, 0)
  t.equal(closed, 1)
})

t.test('a rehearsal that is given up closes its view', async t => {
  let closed = 0
  const view = { close: () => closed++ } as unknown as View & { close(): void }
  const steps = rehearse(new Host('/nowhere', new TestClock()), fakeBackend(), view)
  steps.next()
  steps.return(undefined)
  t.equal(closed, 1)
})
