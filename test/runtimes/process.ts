/** Files that a test's machine has of a process, and ids as they are. */

export const ID = '4f66ad9a0b2e4a1d9c3fe0f2d17bd9a3c0d0b7aa4f66ad9a0b2e4a1d9c3fe0f2'
export const ID2 = 'b0c7e1a2d3f4b0c7e1a2d3f4b0c7e1a2d3f4b0c7e1a2d3f4b0c7e1a2d3f4b0c7'

/** Field 22 of its stat is the 20th after the command's name. */
export function processFiles(
  pid: number,
  startTicks: number,
  cgroup = '/elsewhere',
): Record<string, string> {
  return {
    [`proc/${pid}/stat`]: `${pid} (sh) S 1 ${'0 '.repeat(17)}${startTicks} 0 0\n`,
    [`proc/${pid}/cgroup`]: `1:cpu:/\n0::${cgroup}\n`,
  }
}

/** What runc 1.1.5 writes, as far as it matters. */
export function runcState(
  id: string,
  pid: number,
  startTicks: number,
  labels: readonly string[] = [],
): string {
  return JSON.stringify({
    id,
    init_process_pid: pid,
    init_process_start: startTicks,
    created: '2026-11-24T19:49:13.659142555Z',
    config: { rootfs: `/bundles/${id}/rootfs`, labels: [...labels, `bundle=/bundles/${id}`] },
    cgroup_paths: { '': `/sys/fs/cgroup/${id}` },
  })
}
