/** Nothing mounted for a container appears on the host. */

import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'
import t, { type Test } from 'tap'
import { eachMount } from '../../src/host/mountinfo.ts'
import { started } from '../kit/box.ts'
import { needs, retry } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

/** A folder whose mounts travel to their peers, as everything does on a host with systemd. */
function sharedFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'procveil-shared-'))
  execaSync('mount', ['-t', 'tmpfs', 'tmpfs', folder])
  t.teardown(() => {
    execaSync('umount', ['-R', '-l', folder])
    rmdirSync(folder)
  })
  execaSync('mount', ['--make-shared', folder])
  return folder
}

for (const rootfsPropagation of ['shared', 'slave', 'private'] as const) {
  t.test(`rootfsPropagation: ${rootfsPropagation}`, needs('runc'), async t => {
    const here = site(t)
    const parent = sharedFolder(t)
    const box = await started(t, here, 'leaky', { rootfsPropagation, parent, memoryBytes: 2 ** 26 })
    t.match(await box.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
    t.strictSame(fuseMounts(parent, here.directory), [here.mountPoint], 'only the shared mount')
    await box.remove()
    t.strictSame(fuseMounts(parent, here.directory), [here.mountPoint], 'also afterwards')
  })
}

t.test('a proc file system whose mounts the host repeats', needs('unshare'), async t => {
  const here = site(t)
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
})

function fuseMounts(...folders: string[]): string[] {
  const found: string[] = []
  eachMount(readFileSync('/proc/self/mountinfo', 'utf8'), mount => {
    const ours = folders.some(folder => mount.mountPoint.startsWith(folder))
    if (ours && mount.fsType === 'fuse.lxcfs') found.push(mount.mountPoint)
  })
  return found
}
