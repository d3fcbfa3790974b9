import t from 'tap'
import { isAlive, readContainer } from '../../src/container/identity.ts'
import { machine } from '../machines/machine.ts'

/** Field 22 is the 20th after the command's name. */
const stat = (ticks: number) => `42 (tmux: server) x) S 1 ${'0 '.repeat(17)}${ticks} 0 0\n`

t.test('a process is known by its pid and its start', async t => {
  const host = machine(t, {
    'proc/42/stat': stat(986258),
    'proc/42/cgroup': '4:memory:/ctr\n0::/unified/ctr\n',
  })
  const container = readContainer(host, 'box', { pid: 42, rootfs: '/rootfs' })
  t.match(container, { id: 'box', pid: 42, startTicks: 986258, rootfs: '/rootfs' })
  t.strictSame(container.cgroups, { memory: '/ctr', '': '/unified/ctr' })
  t.ok(isAlive(host, container))
  host.set({ 'proc/42/stat': stat(986259) })
  t.notOk(isAlive(host, container), 'another process has the pid by now')
  host.set({ 'proc/42': undefined })
  t.notOk(isAlive(host, container))
  t.throws(
    () => readContainer(host, 'box', { pid: 42, rootfs: '/rootfs' }),
    /Cannot find process 42 of container box/,
  )
})

t.test("the root's mount is found before and after pivot_root", async t => {
  const host = machine(t, { 'proc/42/stat': stat(1), 'proc/42/cgroup': '' })
  const rootMount = () => readContainer(host, 'box', { pid: 42, rootfs: '/b/rootfs' }).rootMount
  t.equal(rootMount(), 0, 'unknown')
  const hostMount = '26 1 254:0 / / rw - ext4 /dev/vda rw\n'
  host.set({ 'proc/42/mountinfo': `${hostMount}64 26 0:50 / /b/rootfs rw - overlay overlay rw\n` })
  t.equal(rootMount(), 64)
  host.set({ 'proc/42/mountinfo': '64 26 0:50 / / rw - overlay overlay rw\n' })
  t.equal(rootMount(), 64)
})
