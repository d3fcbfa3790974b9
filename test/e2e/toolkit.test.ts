/** Containers that no hook has seen, attached and detached while they run. */

import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { type BoxOptions, box, started } from '../kit/box.ts'
import { MOUNTED } from '../kit/files.ts'
import { HOST_KIB, readMemTotal } from '../kit/mem-total.ts'
import { EXECUTABLE, needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'

const unhooked = (t: Test, here: Site, id: string, options: BoxOptions = {}) =>
  started(t, here, id, { stages: [], ...options })

/** The command on this site's runc. */
function toolkit(here: Site, command: string, ...args: string[]) {
  return here.toolkit(command, '--runtime-root', join(here.directory, 'runc'), ...args)
}

t.test('remount --all and umount --all', needs('runc'), async t => {
  const here = site(t)
  const small = await unhooked(t, here, 'toolkit-small', { memoryBytes: 2 ** 26 })
  const large = await unhooked(t, here, 'toolkit-large', { memoryBytes: 2 ** 27 })
  const frozen = await unhooked(t, here, 'toolkit-frozen', { memoryBytes: 2 ** 28 })
  await frozen.runc('pause', frozen.id)
  t.equal(await readMemTotal(small), HOST_KIB)
  for (let i = 0; i < 2; i++) {
    const { stdout, stderr, exitCode } = await toolkit(here, 'remount', '--all')
    t.equal(stdout, '3 attached', stderr)
    t.equal(exitCode, 0)
  }
  t.strictSame(await Promise.all([small, large, frozen].map(readMemTotal)), [
    '65536',
    '131072',
    '262144',
  ])
  t.equal((await small.sh('mount | grep lxcfs')).split('\n').length, MOUNTED.length)
  t.equal((await toolkit(here, 'umount', '-a')).stdout, '3 detached')
  t.strictSame(await Promise.all([small, large, frozen].map(readMemTotal)), [
    HOST_KIB,
    HOST_KIB,
    HOST_KIB,
  ])
  t.strictSame(here.hostMounts(), [here.mountPoint])
})

t.test(
  'a container that ended without a word is forgotten with the next one',
  needs('runc'),
  async t => {
    const here = site(t)
    const gone = await unhooked(t, here, 'toolkit-gone')
    const stopped = await unhooked(t, here, 'toolkit-stopped')
    t.equal((await toolkit(here, 'remount', '--all')).stdout, '2 attached')
    await stopped.runc('kill', stopped.id, 'KILL')
    await gone.remove()
    t.equal(here.registered().length, 2, 'no hook has told of it')
    const hooked = await started(t, here, 'toolkit-hooked')
    const names = (...boxes: { id: string }[]) => boxes.map(({ id }) => `${id}.json`)
    await retry(() => {
      if (here.registered().length > 2) throw new Error(`Cannot go on: ${here.registered()}`)
    })
    t.strictSame(
      here.registered().sort(),
      names(hooked, stopped),
      'its runtime still knows the other',
    )

    await stopped.remove()
    await unhooked(t, here, 'toolkit-next')
    t.equal((await toolkit(here, 'remount', '-c', 'toolkit-next')).stdout, '1 attached')
    t.strictSame(here.registered().sort(), ['toolkit-hooked.json', 'toolkit-next.json'])
  },
)

t.test('one container, by what it is called', needs('runc'), async t => {
  const here = site(t)
  const one = await unhooked(t, here, 'toolkit-one', { memoryBytes: 2 ** 26 })
  const two = await unhooked(t, here, 'toolkit-two', { memoryBytes: 2 ** 26 })
  t.equal((await toolkit(here, 'attach', '-c', 'toolkit-o')).stdout, '1 attached')
  t.strictSame([await readMemTotal(one), await readMemTotal(two)], ['65536', HOST_KIB])
  const unclear = await toolkit(here, 'remount', '-c', 'toolkit-')
  t.equal(unclear.exitCode, 1)
  t.match(unclear.stderr, 'it may be toolkit-one or toolkit-two')
  const unknown = await toolkit(here, 'remount', '--container-id', 'nobody')
  t.match(unknown.stderr, /Cannot remount container "nobody": there are .*toolkit-one/)
  t.match((await toolkit(here, 'remount')).stderr, 'give either --all or --container-id ID')
  const json = await toolkit(here, 'detach', '-c', 'toolkit-one', '--json')
  t.strictSame(JSON.parse(json.stdout), { detached: ['toolkit-one'], skipped: [], failed: [] })
})

t.test('by the names of the old tools', needs('runc'), async t => {
  const here = site(t)
  const box = await unhooked(t, here, 'toolkit-old', { memoryBytes: 2 ** 26 })
  const links = join(here.directory, 'bin')
  mkdirSync(links)
  for (const name of ['isulad-lxcfs-toolkit', 'lxcfs-tools', 'lxcfs-hook']) {
    symlinkSync(EXECUTABLE, join(links, name))
  }
  const state = { id: box.id, status: 'created', pid: await box.pid(), bundle: box.bundle }
  const options = { input: JSON.stringify(state) }
  await execa(join(links, 'lxcfs-hook'), here.options, options)
  t.equal(await readMemTotal(box), '65536')
  await execa(join(links, 'isulad-lxcfs-toolkit'), [...here.options, 'umount', '-c', box.id])
  t.equal(await readMemTotal(box), HOST_KIB)
  await execa(join(links, 'lxcfs-tools'), [...here.options, 'check-lxcfs'])
})

t.test('containers of every shape', needs('runc'), async t => {
  const here = site(t)
  /** Nothing but one static program: no shell, no folders beyond those it needs. */
  const distroless = await unhooked(t, here, 'toolkit-distroless', { memoryBytes: 2 ** 26 })
  for (const name of ['sh', 'mount', 'cat']) {
    await execa('rm', [join(distroless.bundle, 'rootfs/bin', name)])
  }
  const shared = await unhooked(t, here, 'toolkit-shared', { memoryBytes: 2 ** 27 })
  const joined = await unhooked(t, here, 'toolkit-joined', {
    memoryBytes: 2 ** 28,
    pidNamespace: `/proc/${await shared.pid()}/ns/pid`,
  })
  t.equal((await toolkit(here, 'remount', '-a')).stdout, '3 attached')
  t.equal(await readMemTotal(distroless), '65536')
  t.equal(await readMemTotal(shared), '131072')
  t.equal(
    await readMemTotal(joined),
    '262144',
    'not that of the container whose pid namespace it shares',
  )
  await shared.remove()
  // With the init of its pid namespace the other one has ended, too.
  const { stdout } = await toolkit(here, 'remount', '-a')
  t.equal(stdout, '1 attached, 2 skipped: it has ended')
})

t.test('a user namespace', needs('runc'), async t => {
  const here = site(t)
  chmodSync(here.directory, 0o755)
  const options = { memoryBytes: 2 ** 26, userNamespace: true, withoutSys: true }
  const made = box(t, here, 'toolkit-user', { stages: [], ...options })
  chmodSync(made.bundle, 0o755)
  await made.start()
  t.equal((await toolkit(here, 'remount', '-a')).stdout, '1 attached')
  t.match(await made.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  t.equal((await toolkit(here, 'umount', '-a')).stdout, '1 detached')
  t.match(await made.cat('/proc/meminfo'), new RegExp(`^MemTotal: +${HOST_KIB} kB`))
})

t.test('what cannot be attached does not stop the rest', needs('runc', 'nsenter'), async t => {
  const here = site(t)
  const bad = await unhooked(t, here, 'toolkit-bad', { withoutSys: true })
  const good = await unhooked(t, here, 'toolkit-good', { memoryBytes: 2 ** 26 })
  const enter = ['--target', String(await bad.pid()), '--mount', '--root', '/bin/busybox']
  await execa('nsenter', [...enter, 'umount', '-l', '/proc'])
  const { stdout, stderr, exitCode } = await toolkit(here, 'remount', '-a')
  t.equal(exitCode, 1)
  t.equal(stdout, '1 attached, 1 failed: toolkit-bad')
  t.match(stderr, 'Cannot bind into toolkit-bad: it has no proc file system at /proc')
  t.equal(await readMemTotal(good), '65536')
  t.strictSame(here.registered(), ['toolkit-good.json'])
})
