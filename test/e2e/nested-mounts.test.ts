/** Containers in a container: what the kernel lets them mount, with our files and with the option `nestedMounts`. */

import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { parseMounts } from '../../src/host/mountinfo.ts'
import { isShared } from '../../src/mount/target.ts'
import { type Box, type BoxOptions, box } from '../kit/box.ts'
import { KERNELS } from '../kit/old-kernel.ts'
import { needs } from '../kit/requirements.ts'
import { bindMount } from '../kit/runc-config.ts'
import { type Site, site } from '../kit/site.ts'

const ON = { 'io.procveil.nestedMounts': 'on' }

const NESTED = {
  proc: 'unshare -Urmpf sh -c "mount -t proc proc /proc"',
  sysfs: 'unshare -Urnm mount -t sysfs -o ro sysfs /sys',
} as const

/** A container with the host's unshare(1) in it, and a user without any rights. */
async function outer(t: Test, here: Site, options: BoxOptions = {}): Promise<Box> {
  chmodSync(here.directory, 0o755)
  const made = box(t, here, 'outer', { memoryBytes: 2 ** 26, hostPrograms: true, ...options })
  chmodSync(made.bundle, 0o755)
  await made.start()
  return made
}

/** Which of the two a user of the container can mount in namespaces of his own. */
async function nests(box: Box): Promise<string[]> {
  const names: string[] = []
  for (const [name, script] of Object.entries(NESTED)) {
    const args = ['exec', '--user', '1000:1000', box.id, 'sh', '-c', script]
    const { failed, stderr } = await box.runc(...args).catch(error => error)
    if (!failed) names.push(name)
    else if (!stderr.includes('permission denied')) throw new Error(stderr)
  }
  return names
}

const readMounts = async (box: Box) =>
  parseMounts(readFileSync(`/proc/${await box.pid()}/mountinfo`, 'utf8'))

async function spares(box: Box): Promise<string[]> {
  const mounts = (await readMounts(box)).map(({ mountPoint }) => mountPoint)
  return mounts.filter(path => path.startsWith('/dev/.procveil')).sort()
}

/** Every kernel has it: the runtime masks only what is there. */
const MASKED = ['/proc/cmdline']

const SPARES = ['/dev/.procveil', '/dev/.procveil/proc', '/dev/.procveil/sys']

const seesOwn = async (t: Test, box: Box) =>
  t.match(await box.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)

/** A command inside, with all rights there. */
async function asRoot(box: Box, script: string) {
  const enter = ['--target', String(await box.pid()), '--mount', '--root']
  return execa('nsenter', [...enter, '/bin/busybox', 'sh', '-c', script], { reject: false })
}

t.test('without our files both can be mounted', needs('runc', 'unshare'), async t => {
  t.strictSame(await nests(await outer(t, site(t), { stages: [] })), ['proc', 'sysfs'])
})

t.test('with them and without the option neither can', needs('runc', 'unshare'), async t => {
  const here = site(t)
  const box = await outer(t, here)
  await seesOwn(t, box)
  t.strictSame(await nests(box), [])
  t.strictSame(await spares(box), [])
  t.notMatch(await box.sh('ls -a /dev'), '.procveil')
  const { stdout } = await here.toolkit('doctor')
  t.match(stdout, /ok +1 cannot have unprivileged containers in them .*: outer\n.*nestedMounts/)
})

t.test('with the option both can again', needs('runc', 'unshare', 'nsenter'), async t => {
  const here = site(t)
  const box = await outer(t, here, { annotations: ON })
  await seesOwn(t, box)
  t.strictSame(await spares(box), SPARES)
  t.strictSame(await nests(box), ['proc', 'sysfs'])
  t.notMatch((await here.toolkit('doctor')).stdout, 'cannot have unprivileged')
  t.notMatch(readFileSync('/proc/self/mountinfo', 'utf8'), '.procveil', 'nothing on the host')

  t.test('no path leads there', async t => {
    t.equal((await asRoot(box, 'find /dev/.procveil')).stdout.split('\n').length, 3)
    const { exitCode } = await asRoot(box, 'ls /dev/.procveil/proc/meminfo')
    t.not(exitCode, 0)
    const peel = 'umount /dev/.procveil; ls /dev/.procveil/proc/self'
    const command = ['exec', '--user', '1000:1000', box.id, 'unshare', '-Urm', 'sh', '-c', peel]
    const { stderr } = await box.runc(...command).catch(error => error)
    t.match(stderr, 'umount', 'who is in a user namespace cannot take the cover off')
    t.match(stderr, 'Permission denied')
  })

  t.test('a second time changes nothing', async t => {
    const before = await readMounts(box)
    const { stdout } = await here.toolkit('remount', '--container-id', 'outer')
    t.match(stdout, '1 attached')
    t.strictSame(await readMounts(box), before)
  })

  t.test('umount leaves no trace', async t => {
    t.match((await here.toolkit('umount', '--container-id', 'outer')).stdout, '1 detached')
    t.strictSame(await spares(box), [])
    t.notMatch(await box.sh('ls -a /dev'), '.procveil')
    t.strictSame(await nests(box), ['proc', 'sysfs'])
  })

  t.test('and remount puts it back', async t => {
    t.match((await here.toolkit('remount', '--container-id', 'outer')).stdout, '1 attached')
    t.strictSame(await spares(box), SPARES)
    t.strictSame(await nests(box), ['proc', 'sysfs'])
  })
})

t.test('a container in a user namespace', needs('runc', 'unshare'), async t => {
  const here = site(t)
  const options = { userNamespace: true, withoutSys: true, annotations: ON }
  const box = await outer(t, here, options)
  await seesOwn(t, box)
  t.strictSame(await spares(box), SPARES.slice(0, 2))
  t.match(await box.sh('ls -ld /dev/.procveil'), /^drwx------ +\d+ 0 +0 /, "its root's")
  t.strictSame((await nests(box)).slice(0, 1), ['proc'])
  t.match((await here.toolkit('umount', '--container-id', 'outer')).stdout, '1 detached')
  t.notMatch(await box.sh('ls -a /dev'), '.procveil')
})

t.test('a mask that the runtime puts on after the hook', needs('runc', 'unshare'), async t => {
  const here = site(t)
  for (const stage of ['prestart', 'createRuntime'] as const) {
    const box = await outer(t, here, { maskedPaths: MASKED, annotations: ON, stages: [stage] })
    await seesOwn(t, box)
    t.strictSame(await spares(box), [], stage)
    t.notOk((await nests(box)).includes('proc'))
    t.match((await here.toolkit('remount', '--container-id', 'outer')).stdout, '1 attached')
    t.strictSame(await spares(box), [], 'nor later')
    t.notMatch((await here.toolkit('doctor')).stdout, 'cannot have unprivileged')
    await box.remove()
  }
})

t.test('a masked container without a hook', needs('runc', 'unshare'), async t => {
  const here = site(t)
  const options = { maskedPaths: MASKED, annotations: ON, stages: [] }
  const box = await outer(t, here, options)
  const runtimes = ['--runtime-root', `${here.directory}/runc`]
  const { stdout } = await here.toolkit('remount', ...runtimes, '--container-id', 'outer')
  t.match(stdout, '1 attached')
  await seesOwn(t, box)
  t.strictSame(await spares(box), [])
})

t.test('mounts that the container shares', needs('runc', 'unshare', 'nsenter'), async t => {
  const here = site(t)
  const box = await outer(t, here, { stages: [], annotations: ON })
  await asRoot(box, 'mount --make-rshared /')
  const runtimes = ['--runtime-root', `${here.directory}/runc`]
  for (const time of ['first', 'second']) {
    const { stdout } = await here.toolkit('remount', ...runtimes, '-c', 'outer')
    t.match(stdout, '1 attached', time)
    t.strictSame(await spares(box), SPARES)
    t.strictSame(await nests(box), ['proc', 'sysfs'], 'our files do not get there')
    await asRoot(box, 'mount --make-rshared /')
  }
  await here.toolkit('umount', '-c', 'outer')
  t.strictSame(await spares(box), [])
})

for (const { kernel, programs, makeSite, check } of KERNELS) {
  const needed = needs('runc', 'unshare', 'nsenter', ...programs)
  t.test(`${kernel}: mounts that the container shares, by a hook`, needed, async t => {
    const here = await makeSite(t)
    const box = await outer(t, here, { stages: [] })
    await asRoot(box, 'mount --make-rshared /')
    const state = { id: 'outer', status: 'created', pid: await box.pid(), bundle: box.bundle }
    t.equal((await here.hook({ ...state, annotations: ON }, '--strict')).exitCode, 0)
    await seesOwn(t, box)
    t.strictSame(await spares(box), SPARES)
    t.strictSame(await nests(box), ['proc', 'sysfs'])
    const lying = (await readMounts(box)).filter(
      ({ fsType, mountPoint }) => fsType === 'fuse.lxcfs' || SPARES.includes(mountPoint),
    )
    t.strictSame(lying.filter(isShared), [], 'they are not shared')
    t.notMatch(readFileSync('/proc/self/mountinfo', 'utf8'), '.procveil', 'nothing on the host')
    check(t, here)
  })
}

t.test('by the configuration file, and back', needs('runc', 'unshare'), async t => {
  const here = site(t)
  const box = await outer(t, here)
  const config = `${here.directory}/config.json`
  writeFileSync(config, '{ "nestedMounts": "on" }')
  await here.toolkit('--config', config, 'remount', '-c', 'outer')
  t.strictSame(await spares(box), SPARES)
  t.strictSame(await nests(box), ['proc', 'sysfs'])
  await here.toolkit('remount', '-c', 'outer')
  t.strictSame(await spares(box), [])
  t.strictSame(await nests(box), [])
  t.notMatch(await box.sh('ls -a /dev'), '.procveil')
})

t.test("a /dev that is not the container's own", needs('runc', 'unshare'), async t => {
  const here = site(t)
  const folder = `${here.directory}/dev`
  mkdirSync(folder)
  await execa('mount', ['-t', 'tmpfs', 'tmpfs', folder])
  // The runtime makes no devices there, and cannot do without this one.
  await execa('mknod', ['-m', '666', `${folder}/null`, 'c', '1', '3'])
  const mounts = [{ ...bindMount(folder, '/dev'), options: ['rbind', 'rw'] }]
  const box = await outer(t, here, { annotations: ON, mounts })
  await seesOwn(t, box)
  t.strictSame(await spares(box), [])
  t.notOk(readdirSync(folder).includes('.procveil'))
  t.match(here.readLog(), 'spare mounts: no place')
})

t.test('what the container put in the way costs it the option alone', needs('runc'), async t => {
  const here = site(t)
  const box = await outer(t, here, { stages: [], annotations: ON })
  await asRoot(box, 'ln -s /etc /dev/.procveil')
  const runtimes = ['--runtime-root', `${here.directory}/runc`]
  const { stdout, stderr } = await here.toolkit('remount', ...runtimes, '-c', 'outer')
  t.match(stdout, '1 attached')
  t.match(stderr, /Cannot leave spare mounts in outer, .*: Cannot open .procveil: .*ELOOP/)
  await seesOwn(t, box)
  t.strictSame(await spares(box), [])
  t.strictSame((await asRoot(box, 'ls -A /etc')).stdout, '')
  await here.toolkit('umount', ...runtimes, '-c', 'outer')

  const annotations = ON
  const state = { id: 'outer', status: 'created', pid: await box.pid(), bundle: box.bundle }
  const hook = await here.hook({ ...state, annotations }, '--strict')
  t.equal(hook.exitCode, 1, 'with --strict it costs all')
  t.match(hook.stderr, 'Cannot leave spare mounts in outer')
  t.notMatch(await box.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
})
