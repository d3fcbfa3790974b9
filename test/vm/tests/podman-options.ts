/** Options of podman that change what a container's /proc is: namespaces, privileges, a root that is read-only. */

import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { DIRECTORY_PATHS, FILE_PATHS } from '../../../src/proc/paths.ts'
import { needs } from '../../kit/requirements.ts'
import { type Site, site } from '../../kit/site.ts'
import { type Container, launch, MiB, type Runtime, read } from '../container.ts'

const LIMIT = { memoryBytes: 64 * MiB }

/** Each of the files that this kernel has is bound, none twice, and can be read. */
async function isCovered(t: Test, box: Container, memTotalKib: number): Promise<void> {
  const [meminfo, uptime = ''] = await read(box, '/proc/meminfo', '/proc/uptime')
  const mounts = readFileSync(`/proc/${await box.pid()}/mounts`, 'utf8')
  t.match(meminfo, new RegExp(`^MemTotal: +${memTotalKib} kB$`, 'm'))
  t.ok(Number.parseFloat(uptime) < 120, `up for ${uptime}`)
  const bound = mounts.match(/(?<=^lxcfs )\S+(?= fuse\.lxcfs )/gm)?.map(path => path.slice(1)) ?? []
  t.ok(bound.includes('proc/stat'))
  t.equal(new Set(bound).size, bound.length, 'none twice')
  t.strictSame(
    bound.filter(path => ![...FILE_PATHS, ...DIRECTORY_PATHS].some(each => each === path)),
    [],
  )
}

type Case = (t: Test, here: Site, runtime: Runtime) => Promise<void>

/** What the two programs do in ways of their own: mounting in namespaces that are not new or not the host's. */
const UNDER_BOTH = new Set(['a user namespace', 'a pid namespace that two share'])

const CASES: Readonly<Record<string, Case>> = {
  'a user namespace': async (t, here, runtime) => {
    const podman = ['--uidmap', '0:100000:65536']
    const box = await launch(t, here, runtime, 'mapped', { ...LIMIT, podman })
    t.match(await box.sh('cat /proc/self/uid_map'), /^ +0 +100000 +65536$/m)
    await isCovered(t, box, 65536)
  },
  'a read-only root': async (t, here, runtime) => {
    const box = await launch(t, here, runtime, 'fixed', { ...LIMIT, podman: ['--read-only'] })
    await t.rejects(box.sh('touch /etc/x'))
    await isCovered(t, box, 65536)
  },
  "the host's pid namespace": async (t, here, runtime) => {
    const box = await launch(t, here, runtime, 'wide', { ...LIMIT, podman: ['--pid', 'host'] })
    t.equal(await box.sh('cat /proc/1/comm'), readFileSync('/proc/1/comm', 'utf8'))
    await isCovered(t, box, 65536)
  },
  '--privileged': async (t, here, runtime) => {
    const box = await launch(t, here, runtime, 'mighty', { ...LIMIT, podman: ['--privileged'] })
    await isCovered(t, box, 65536)
    const [partitions = ''] = await read(box, '/proc/partitions')
    const names = partitions.match(/(?<= )\S+$/gm)
    const disks = readFileSync('/proc/partitions', 'utf8').match(/(?<= )vd[b-z]$/gm) ?? []
    t.strictSame(names, ['name', 'sda', ...disks], 'all disks are in its /dev')
  },
  'a pid namespace that two share': async (t, here, runtime) => {
    const first = await launch(t, here, runtime, 'first', LIMIT)
    const podman = ['--pid', 'container:first']
    const second = await launch(t, here, runtime, 'second', { memoryBytes: 96 * MiB, podman })
    const namespace = 'readlink /proc/self/ns/pid'
    t.equal(await second.sh(namespace), await first.sh(namespace))
    await isCovered(t, second, 98304)
    await isCovered(t, first, 65536)
    await second.remove()
    await isCovered(t, first, 65536)
  },
}

for (const [name, run] of Object.entries(CASES)) {
  const runtimes: Runtime[] = ['podman with crun']
  if (UNDER_BOTH.has(name)) runtimes.push('podman with runc')
  for (const runtime of runtimes) {
    t.test(`${name}, under ${runtime}`, needs('podman'), t => run(t, site(t), runtime))
  }
}
