/** /proc/PID/mountinfo, proc_pid_mountinfo(5). */

export interface Mount {
  id: number
  parentId: number
  major: number
  minor: number
  /** Path inside the mounted file system. */
  root: string
  mountPoint: string
  /** `shared:N`, `master:N`, `unbindable`, ... */
  propagation: string[]
  fsType: string
  source: string
  superOptions: string
}

/** The mounts in the file's order, in which a later one lies on top of an earlier one. */
export function parseMounts(mountinfo: string): Mount[] {
  const mounts: Mount[] = []
  eachMount(mountinfo, mount => mounts.push(mount))
  return mounts
}

/** Calls `visit` for each mount, in the order of `parseMounts`. */
export function eachMount(mountinfo: string, visit: (mount: Mount) => void): void {
  for (const line of mountinfo.split('\n')) {
    const mount = parseMount(line)
    if (mount !== undefined) visit(mount)
  }
}

/** The mount that a path lookup of `mountPoint` ends at: the last one listed there. */
export function findMount(mountinfo: string, mountPoint: string): Mount | undefined {
  let found: Mount | undefined
  eachMount(mountinfo, mount => {
    if (mount.mountPoint === mountPoint) found = mount
  })
  return found
}

/** The mount that a directory is part of: its own, or the nearest one above. */
export function findMountAround(mountinfo: string, directory: string): Mount | undefined {
  let found: Mount | undefined
  eachMount(mountinfo, mount => {
    const { mountPoint } = mount
    const isAround =
      mountPoint === '/' || mountPoint === directory || directory.startsWith(`${mountPoint}/`)
    if (isAround && mountPoint.length >= (found?.mountPoint.length ?? 0)) found = mount
  })
  return found
}

function parseMount(line: string): Mount | undefined {
  const separator = line.indexOf(' - ')
  if (separator < 0) return undefined
  const [id, parentId, device, root, mountPoint, , ...propagation] = line
    .slice(0, separator)
    .split(' ')
  const [fsType, source, superOptions] = line.slice(separator + 3).split(' ')
  if (root === undefined || mountPoint === undefined || fsType === undefined) return undefined
  const [major, minor] = (device ?? '').split(':')
  return {
    id: Number(id),
    parentId: Number(parentId),
    major: Number(major),
    minor: Number(minor),
    root: unescapeOctal(root),
    mountPoint: unescapeOctal(mountPoint),
    propagation,
    fsType,
    source: unescapeOctal(source ?? ''),
    superOptions: superOptions ?? '',
  }
}

/** fs/proc_namespace.c writes blank, tab, newline, backslash and # as three octal digits. */
export function unescapeOctal(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
}
