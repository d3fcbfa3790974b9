/** A container that rearranges its mounts so that we would mount something elsewhere. */

import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { eachMount } from '../../src/host/mountinfo.ts'
import { DIRECTORY_PATHS, FILE_PATHS } from '../../src/proc/paths.ts'
import { type Box, started } from '../kit/box.ts'
import { needs } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'

/** With the rights that the container would need for it. */
async function inside(box: Box, script: string): Promise<void> {
  const pid = String(await box.pid())
  await execa('nsenter', ['--target', pid, '--mount', '--root', '/bin/busybox', 'sh', '-c', script])
}

async function runHook(here: Site, box: Box) {
  const state = { id: box.id, status: 'created', pid: await box.pid(), bundle: box.bundle }
  return here.hook(state, '--strict')
}

const mountsOf = (pid: number | 'self') => readFileSync(`/proc/${pid}/mountinfo`, 'utf8')

/** Mount points of our kind in the container. */
async function ours(box: Box): Promise<string[]> {
  const found: string[] = []
  eachMount(mountsOf(await box.pid()), mount => {
    if (mount.fsType === 'fuse.lxcfs') found.push(mount.mountPoint)
  })
  return found
}

async function isRefused(t: Test, box: Box, here: Site, before: string): Promise<void> {
  const { exitCode, stderr } = await runHook(here, box)
  t.equal(exitCode, 1)
  t.match(stderr, `Cannot bind into ${box.id}: it has no proc file system at /proc`)
  t.strictSame(await ours(box), [])
  t.strictSame(here.registered(), [])
  const own = mountsOf('self')
    .split('\n')
    .filter(line => !line.includes(here.directory))
  t.strictSame(
    own,
    before.split('\n').filter(line => !line.includes(here.directory)),
  )
}

const TRICKS = {
  'a tmpfs on /proc with links in it':
    'mount -t tmpfs tmpfs /proc; ln -s /etc/passwd /proc/meminfo; ln -s / /proc/pressure; : >/proc/stat',
  '/proc that is a link': 'mkdir /real; mount --move /proc /real; rmdir /proc; ln -s /etc /proc',
  'a bind of another folder on /proc': 'echo x >/etc/meminfo; mount --bind /etc /proc',
  'no /proc at all': 'umount -l /proc',
}

for (const [name, script] of Object.entries(TRICKS)) {
  t.test(name, needs('runc', 'nsenter'), async t => {
    const here = site(t)
    const box = await started(t, here, 'hostile', { stages: [], withoutSys: true })
    const before = mountsOf('self')
    await inside(box, script)
    await isRefused(t, box, here, before)
  })
}

t.test(
  'a file of its own on one of the places is left alone',
  needs('runc', 'nsenter'),
  async t => {
    const here = site(t)
    const box = await started(t, here, 'hostile', { stages: [] })
    await inside(box, 'echo mine >/tmp/mine; mount --bind /tmp/mine /proc/meminfo')
    t.equal((await runHook(here, box)).exitCode, 0)
    t.notOk((await ours(box)).includes('/proc/meminfo'))
    t.ok((await ours(box)).includes('/proc/stat'))
  },
)

t.test('mounts that change during the call', needs('runc', 'nsenter'), async t => {
  const here = site(t)
  const box = await started(t, here, 'hostile', { stages: [] })
  const host = mountsOf('self')
  const pid = String(await box.pid())
  const flapping =
    'while :; do mount -t tmpfs tmpfs /proc; ln -s /etc/passwd /proc/meminfo; umount -l /proc; done'
  const command = ['--target', pid, '--mount', '--root', '/bin/busybox', 'sh', '-c', flapping]
  const attacker = execa('nsenter', command, { reject: false })
  try {
    const results = []
    for (let i = 0; i < 40; i++) results.push(await runHook(here, box))
    t.ok(results.every(({ exitCode }) => exitCode === 0 || exitCode === 1))
    t.comment(`${results.filter(({ exitCode }) => exitCode === 0).length} of 40 went through`)
  } finally {
    attacker.kill('SIGKILL')
    await attacker
  }
  const places = [...FILE_PATHS, ...DIRECTORY_PATHS].map(path => `/${path}`)
  t.strictSame(
    (await ours(box)).filter(path => !places.includes(path)),
    [],
    'nothing of ours lies elsewhere',
  )
  t.strictSame(
    mountsOf('self')
      .split('\n')
      .filter(line => !line.includes(here.directory)),
    host.split('\n').filter(line => !line.includes(here.directory)),
    'nor on the host',
  )
  t.equal(readFileSync('/etc/passwd', 'utf8').includes('MemTotal'), false)
})
