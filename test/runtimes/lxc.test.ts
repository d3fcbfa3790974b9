import t from 'tap'
import { type Machine, machine } from '../machines/machine.ts'
import { findRunning } from './find-running.ts'
import { processFiles } from './process.ts'

const V2 = '30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n'
const V1 = '31 1 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n'

/** Puts a process into a cgroup; `nspid` as its status has it. */
function add(host: Machine, pid: number, directory: string, nspid: string): void {
  const procs = `${directory}/cgroup.procs`
  host.set({
    ...processFiles(pid, 9000 + pid, directory.replace('sys/fs/cgroup', '')),
    [`proc/${pid}/status`]: `Name:\tsh\nNSpid:\t${nspid}\nThreads:\t1\n`,
    [procs]: `${host.tryRead(procs) ?? ''}${pid}\n`,
  })
}

t.test('the init is found in the payload, by its pid in its own namespace', async t => {
  const host = machine(t, { 'proc/self/mountinfo': V2 })
  add(host, 40, 'sys/fs/cgroup/lxc.monitor.web', '40')
  add(host, 41, 'sys/fs/cgroup/lxc.payload.web', '41\t17')
  add(host, 50, 'sys/fs/cgroup/lxc.payload.web/docker/x', '50\t60\t1')
  add(host, 60, 'sys/fs/cgroup/lxc.payload.web/init.scope', '60\t1')
  host.set({ 'var/lib/lxc/web/config': '# made by hand\nlxc.rootfs.path = dir:/srv/web/rootfs\n' })
  t.strictSame(findRunning(host), [
    {
      id: 'web',
      runtime: 'lxc',
      pid: 60,
      startTicks: 9060,
      rootfs: '/srv/web/rootfs',
      annotations: {},
    },
  ])
})

t.test('LXD and Incus keep their own copy of the configuration', async t => {
  for (const directory of ['run/incus', 'var/snap/lxd/common/lxd/logs', 'var/log/lxd']) {
    const host = machine(t, {
      'proc/self/mountinfo': V2,
      [`${directory}/web/lxc.conf`]: 'lxc.rootfs.path = dir:/pools/web/rootfs\n',
    })
    add(host, 60, 'sys/fs/cgroup/lxc.payload.web', '60\t1')
    t.match(findRunning(host), [{ id: 'web', rootfs: '/pools/web/rootfs' }], directory)
  }
})

t.test('a root that is no directory of the host is unknown', async t => {
  const host = machine(t, { 'proc/self/mountinfo': V2 })
  add(host, 60, 'sys/fs/cgroup/lxc.payload.web', '60\t1')
  for (const path of ['overlay:/a:/b', 'zfs:tank/web', '', 'relative']) {
    host.set({ 'var/lib/lxc/web/config': `lxc.rootfs.path = ${path}\n` })
    t.match(findRunning(host), [{ id: 'web', rootfs: '/' }], path)
  }
})

t.test('payloads of users, of LXC 3 and of version 1 are found', async t => {
  const scope = 'user.slice/user-1000.slice/user@1000.service/app.slice/run.scope'
  const host = machine(t, { 'proc/self/mountinfo': V2 + V1 })
  add(host, 60, `sys/fs/cgroup/${scope}/lxc.payload.one`, '60\t1')
  add(host, 61, 'sys/fs/cgroup/systemd/lxc/two', '61\t1')
  add(host, 62, 'sys/fs/cgroup/lxc.payload.two-x', '62\t1')
  t.strictSame(
    findRunning(host).map(({ id, pid }) => [id, pid]),
    [
      ['one', 60],
      ['two', 61],
      ['two-x', 62],
    ],
  )
})

t.test('names that a container gives to its own cgroups do not count', async t => {
  const host = machine(t, { 'proc/self/mountinfo': V2 })
  add(host, 60, 'sys/fs/cgroup/lxc.payload.web', '60\t1')
  add(host, 61, 'sys/fs/cgroup/lxc.payload.web/lxc.payload.evil', '61\t90\t1')
  t.match(
    findRunning(host).map(({ id }) => id),
    ['web'],
  )
})

t.test('a payload without an init is left out', async t => {
  const host = machine(t, {
    'proc/self/mountinfo': V2,
    'sys/fs/cgroup/lxc.payload.empty/cgroup.procs': '',
    'sys/fs/cgroup/lxc.payload.ended/cgroup.procs': '77\nx\n',
    'sys/fs/cgroup/lxc.payload.bad name/cgroup.procs': '78\n',
  })
  add(host, 78, 'sys/fs/cgroup/lxc.payload.bad name', '78\t1')
  add(host, 79, 'sys/fs/cgroup/lxc.payload.shared', '79')
  t.strictSame(findRunning(host), [])
})
