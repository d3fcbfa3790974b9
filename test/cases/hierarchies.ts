/** Where the cgroup file systems of a host are mounted, and which of them has a file: cgroups(7). */

/** All in one hierarchy; a v1 hierarchy for each controller; these and a unified one without controllers. */
export type Kind = 'unified' | 'legacy' | 'hybrid'

const V1 = ['memory', 'cpuset', 'cpu,cpuacct', 'blkio', 'hugetlb', 'pids', 'freezer']
const V2 = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids']

export const listControllers = (kind: Kind): readonly string[] => (kind === 'unified' ? V2 : V1)

const ROOT = 'sys/fs/cgroup'
const UNIFIED = { unified: ROOT, hybrid: `${ROOT}/unified`, legacy: '' }

/** The host's mountinfo and, under the unified hierarchy, its list of controllers. */
export function mountinfoOf(kind: Kind, controllers: readonly string[]): Record<string, string> {
  const files: Record<string, string> = {}
  let mounts = '20 1 8:1 / / rw - ext4 /dev/sda1 rw\n'
  if (kind !== 'unified') {
    controllers.forEach((names, i) => {
      mounts += `${31 + i} 20 0:${31 + i} / /${ROOT}/${names} rw - cgroup cgroup rw,${names}\n`
    })
  }
  if (kind !== 'legacy') {
    mounts += `30 20 0:30 / /${UNIFIED[kind]} rw - cgroup2 cgroup2 rw,nsdelegate\n`
    const list = kind === 'unified' ? controllers : []
    files[`${UNIFIED[kind]}/cgroup.controllers`] = `${list.join(' ')}\n`
  }
  return { ...files, 'proc/self/mountinfo': mounts }
}

/** /proc/PID/cgroup of a process that is in the cgroup `path` everywhere. */
export function listCgroup(kind: Kind, controllers: readonly string[], path: string): string {
  if (kind === 'unified') return `0::${path}\n`
  const lines = controllers.map((names, i) => `${i + 2}:${names}:${path}\n`)
  return `${lines.reverse().join('')}1:name=systemd:${path}\n${kind === 'hybrid' ? `0::${path}\n` : ''}`
}

/** The path on the host of a cgroup's file, `names` as /proc/PID/cgroup has them or by the file's own name. */
export function placeFile(kind: Kind, path: string, names?: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1)
  const hierarchy = kind === 'unified' ? '' : (names ?? hierarchyOf(kind, file))
  return (hierarchy === '' ? UNIFIED[kind] : `${ROOT}/${hierarchy}`) + path
}

function hierarchyOf(kind: Kind, file: string): string {
  if (file === 'tasks') return 'pids'
  if (
    /^cpu(acct)?\.(cfs|stat$|usage|shares)/.test(file) &&
    !(kind === 'hybrid' && file === 'cpu.stat')
  )
    return 'cpu,cpuacct'
  const [controller = ''] = file.split('.')
  if (file.endsWith('.pressure')) return ''
  return V1.includes(controller) ? controller : ''
}
