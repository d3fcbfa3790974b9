/** Nothing mounted for a container appears on the host, and nothing that the container mounts on our files. */

import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'
import t, { type Test } from 'tap'
import { eachMount, type Mount, parseMounts } from '../../src/host/mountinfo.ts'
import { isShared } from '../../src/mount/target.ts'
import { type Box, started } from '../kit/box.ts'
import { MOUNTED } from '../kit/files.ts'
import { KERNELS } from '../kit/old-kernel.ts'
import { needs, retry } from '../kit/requirements.ts'

/** A folder whose mounts travel to their peers, as everything does on a host with systemd. */
function sharedFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'procveil-shared-'))
  makeShared(folder)
  t.teardown(() => {
    execaSync('umount', ['-R', '-l', folder])
    rmdirSync(folder)
  })
  return folder
}

function makeShared(folder: string): void {
  mkdirSync(folder, { recursive: true })
  execaSync('mount', ['-t', 'tmpfs', 'tmpfs', folder])
  execaSync('mount', ['--make-shared', folder])
}

for (const { kernel, programs, makeSite, check } of KERNELS) {
  for (const rootfsPropagation of ['shared', 'slave', 'private'] as const) {
    t.test(
      `${kernel}: rootfsPropagation: ${rootfsPropagation}`,
      needs('runc', ...programs),
      async t => {
        const here = await makeSite(t)
        const parent = sharedFolder(t)
        const options = { rootfsPropagation, parent, memoryBytes: 2 ** 26 }
        const box = await started(t, here, 'leaky', options)
        t.match(await box.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
        t.strictSame(fuseMounts(parent, here.directory), [here.mountPoint], 'only the shared mount')
        await box.remove()
        t.strictSame(fuseMounts(parent, here.directory), [here.mountPoint], 'also afterwards')
        check(t, here)
      },
    )
  }

  t.test(
    `${kernel}: what the container mounts on our files`,
    needs('runc', 'nsenter', ...programs),
    async t => {
      const here = await makeSite(t, ({ mountPoint }) => makeShared(mountPoint))
      const box = await started(t, here, 'leaky', { memoryBytes: 2 ** 26 })
      const shared = mountsOf('self').filter(at(here.mountPoint)).find(isOurs)
      const [peers = ''] = shared?.propagation ?? []
      t.match(peers, /^shared:/)
      const ours = async () => mountsOf(await box.pid()).filter(isOurs)
      const master = [peers.replace('shared', 'master')]
      t.strictSame(
        (await ours()).map(({ propagation }) => propagation),
        MOUNTED.map(() => master),
      )
      const before = mountsOf('self')
      await asRoot(box, 'mount --bind /bin/busybox /proc/meminfo')
      t.equal(mountsOf(await box.pid()).filter(at('/proc/meminfo')).length, 2, 'it lies there')
      t.strictSame(mountsOf('self'), before, 'and nowhere else')
      await asRoot(box, 'umount /proc/meminfo')

      // As the container's own /proc: then it is made a slave before ours lie on it.
      t.match((await here.toolkit('umount', '-c', 'leaky')).stdout, '1 detached')
      await asRoot(box, 'mount --make-rshared /')
      const pid = await box.pid()
      const state = { id: 'leaky', status: 'running', pid, bundle: box.bundle }
      t.equal((await here.hook(state, '--strict')).exitCode, 0)
      t.strictSame(
        (await ours()).map(({ propagation }) => propagation),
        MOUNTED.map(() => master),
      )
      const [proc] = mountsOf(await box.pid()).filter(at('/proc'))
      t.notOk(proc && isShared(proc))
      t.strictSame(mountsOf('self'), before)
    },
  )

  t.test(
    `${kernel}: a proc file system whose mounts the host repeats`,
    needs('unshare', ...programs),
    async t => {
      const here = await makeSite(t)
      const parent = sharedFolder(t)
      mkdirSync(join(parent, 'rootfs/proc'), { recursive: true })
      execaSync('mount', ['-t', 'proc', 'proc', join(parent, 'rootfs/proc')])
      const inside = execa('unshare', ['--mount', '--propagation', 'unchanged', 'sleep', '100'], {
        reject: false,
      })
      t.teardown(() => inside.kill('SIGKILL'))
      const pid = inside.pid ?? 0
      await retry(() => {
        if (!readlinkSync(`/proc/${pid}/exe`).includes('sleep')) throw new Error('Cannot go on')
      })
      const state = { id: 'peer', status: 'creating', pid, root: join(parent, 'rootfs') }
      t.equal((await here.hook(state, '--strict')).exitCode, 0)
      const bound = `${parent}/rootfs/proc/meminfo`
      t.match(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'), ` ${bound} `, 'bound inside')
      t.strictSame(fuseMounts(parent, here.directory), [here.mountPoint], 'only the shared mount')
    },
  )
}

const mountsOf = (pid: number | 'self') =>
  parseMounts(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'))
const isOurs = ({ fsType }: Mount) => fsType === 'fuse.lxcfs'
const at = (path: string) => (mount: Mount) => mount.mountPoint === path

/** A command of the host's shell in the container, with all rights there. */
async function asRoot(box: Box, script: string) {
  const enter = ['--target', String(await box.pid()), '--mount', '--root']
  return execa('nsenter', [...enter, '/bin/busybox', 'sh', '-c', script])
}

function fuseMounts(...folders: string[]): string[] {
  const found: string[] = []
  eachMount(readFileSync('/proc/self/mountinfo', 'utf8'), mount => {
    const ours = folders.some(folder => mount.mountPoint.startsWith(folder))
    if (ours && mount.fsType === 'fuse.lxcfs') found.push(mount.mountPoint)
  })
  return found
}
