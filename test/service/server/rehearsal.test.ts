import t from 'tap'
import { placeOf, rootOfSlot, SLOT_SIZE } from '../../../src/filesystem/tree.ts'
import { FILES } from '../../../src/proc/files.ts'
import { rehearse } from '../../../src/service/server/rehearsal.ts'

const SLOT = 2 ** 40

/** A kernel whose server knows all names, and gives each open file another number. */
function fakeKernel() {
  const calls: unknown[][] = []
  let next = 100
  const note = (...call: unknown[]) => {
    calls.push(call)
  }
  const kernel = {
    pid: 0,
    lookup: (parent: number, name: string): number | undefined => {
      note('lookup', parent, name)
      return next++
    },
    getattr: (nodeid: number) => note('getattr', nodeid),
    open: (nodeid: number): number | undefined => {
      note('open', nodeid, kernel.pid)
      return next++
    },
    read: (nodeid: number, fh: number, offset: number) => {
      note('read', nodeid, fh, offset)
      return offset === 0 ? 17 : 0
    },
    release: (nodeid: number, fh: number) => note('release', nodeid, fh),
    forget: (nodeid: number, lookups: number) => note('forget', nodeid, lookups),
  }
  const made = (name: string) => calls.filter(([call]) => call === name)
  return { kernel, calls, made }
}

const nodeOf = (file: (typeof FILES)[number]) => SLOT * SLOT_SIZE + placeOf(file)

t.test('every file is read to its end as often as the others, one request a step', async t => {
  const { kernel, calls, made } = fakeKernel()
  let passedUsec = 0
  const pass = (usec: number) => {
    passedUsec += usec
  }
  let steps = 0
  for (const _ of rehearse({ kernel, slot: SLOT, files: FILES, pass })) steps++
  t.equal(steps, calls.length)
  t.ok(passedUsec > 0)
  const opened = made('open').length
  t.ok(opened >= 100 * FILES.length)
  for (const file of FILES) {
    const own = made('open').filter(([, nodeid]) => nodeid === nodeOf(file))
    t.equal(own.length, opened / FILES.length, file.path)
  }
  const [, , fh] = made('read')[0] ?? []
  t.strictSame(made('read').slice(0, 2), [
    ['read', nodeOf(FILES[0] as (typeof FILES)[number]), fh, 0],
    ['read', nodeOf(FILES[0] as (typeof FILES)[number]), fh, 17],
  ])
  t.equal(made('read').length, 2 * opened)
  t.equal(made('release').length, opened, 'nothing is left open')
  t.ok(made('getattr').length >= FILES.length)
})

t.test('all lookups are forgotten', async t => {
  const { kernel, calls, made } = fakeKernel()
  for (const _ of rehearse({ kernel, slot: SLOT, files: FILES, pass: () => {} }));
  const forgotten = made('forget').reduce((sum, [, , lookups]) => sum + Number(lookups), 0)
  t.equal(forgotten, made('lookup').length)
  t.ok(made('forget').every(([, nodeid]) => nodeid === rootOfSlot(SLOT)))
  t.equal(calls.at(-1)?.[0], 'forget')
})

t.test('there are readers in a loop, and such as come once', async t => {
  const { kernel, made } = fakeKernel()
  for (const _ of rehearse({ kernel, slot: SLOT, files: FILES, pass: () => {} }));
  const times = new Map<unknown, number>()
  for (const [, , pid] of made('open')) times.set(pid, (times.get(pid) ?? 0) + 1)
  const counts = [...times.values()].sort((a, b) => a - b)
  t.equal(counts[0], FILES.length)
  t.ok((counts.at(-1) ?? 0) > 20 * FILES.length)
})

t.test('what is not found or not opened is left out', async t => {
  const { kernel, made } = fakeKernel()
  kernel.lookup = () => undefined
  kernel.open = () => undefined
  for (const _ of rehearse({ kernel, slot: SLOT, files: FILES, pass: () => {} }));
  t.strictSame([made('getattr'), made('read'), made('release')], [[], [], []])
  t.ok(made('forget').every(([, , lookups]) => lookups === 0))
})
