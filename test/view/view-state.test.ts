import t from 'tap'
import { parseViewState } from '../../src/view/view-state.ts'
import { filesOf, renderAll, viewOf } from '../property/container.ts'
import { hostFiles, SMALL_HOST } from '../property/hosts.ts'
import { MemoryHost } from '../property/memory-host.ts'
import { HEALTHY_LEVEL, KINDS, type Kind } from '../property/trees.ts'

type Disks = Record<'8:0', { shown: object }>

/** What a view has accumulated, as the file holds it, and when. */
function accumulated(kind: Kind, usage = true) {
  const tree = { kind, levels: [HEALTHY_LEVEL], threads: 'RSD' }
  const host = new MemoryHost(...filesOf(hostFiles(SMALL_HOST), tree))
  if (!usage) host.set({ 'sys/fs/cgroup/ctr/cpu.stat': undefined })
  const view = viewOf(host, tree, { diskTimes: 'apportion' })
  renderAll({ host, view })
  host.clock.advance(7)
  renderAll({ host, view })
  const fields = JSON.parse(view.changedState() ?? '')
  return { fields, clock: host.clock }
}

t.test('what a view has written down is read as it was', async t => {
  for (const kind of KINDS) {
    const { fields, clock } = accumulated(kind)
    const state = parseViewState({ ...fields, id: 'box' }, 'box', clock)
    t.strictSame(JSON.parse(JSON.stringify(state)), { ...fields, id: 'box' }, kind)
  }
  const { fields, clock } = accumulated('v2', false)
  t.equal(fields.cpu.raw.source, 'host')
  t.strictSame(parseViewState(fields, 'box', clock).cpu, fields.cpu)
})

t.test('the state of another container is none', async t => {
  const { fields, clock } = accumulated('v2')
  t.strictSame(parseViewState({ ...fields, id: 'other' }, 'box', clock), {})
})

t.test('a part that is damaged begins anew, and the others go on', async t => {
  const damages: readonly [part: 'cpu' | 'load' | 'disks', damage: (fields: never) => void][] = [
    ['cpu', ({ cpu }: { cpu: { total: object } }) => Object.assign(cpu.total, { idleUsec: null })],
    ['cpu', ({ cpu }: { cpu: object }) => Object.assign(cpu, { cpus: [{}] })],
    ['cpu', ({ cpu }: { cpu: object }) => Object.assign(cpu, { raw: { source: 'cgroup' } })],
    ['load', ({ load }: { load: object }) => Object.assign(load, { gridUsec: -1e300 })],
    ['load', ({ load }: { load: object }) => Object.assign(load, { loads: [1, 2] })],
    ['load', ({ load }: { load: object }) => Object.assign(load, { count: { running: 1 } })],
    ['disks', ({ disks }: { disks: Disks }) => Object.assign(disks['8:0'].shown, { reads: 0.5 })],
    ['disks', (fields: { disks: object }) => Object.assign(fields.disks, { '8:0': { shown: {} } })],
  ]
  for (const [part, damage] of damages) {
    const { fields, clock } = accumulated('v2')
    damage(fields as never)
    const state = parseViewState(fields, 'box', clock)
    for (const each of ['cpu', 'load', 'disks'] as const) {
      t.equal(state[each] === undefined, each === part, `${each} with ${damage}`)
    }
  }
})

t.test('a time to come is one of another boot', async t => {
  const { fields, clock } = accumulated('v2')
  const { cpu, load } = parseViewState(fields, 'box', { monotonicUsec: () => clock.usec - 1 })
  t.strictSame([cpu, load], [undefined, undefined])
})
