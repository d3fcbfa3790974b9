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

/** The mounts in the file's order, which does not say what lies on what: see `MountTree`. */
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

/** The mount that a path lookup of `mountPoint` ends at; `undefined` where nothing is mounted there. */
export const findMount = (mountinfo: string, mountPoint: string): Mount | undefined =>
  new MountTree(parseMounts(mountinfo)).find(mountPoint)

/** The mount that a directory is part of: its own, or the nearest one above. */
export const findMountAround = (mountinfo: string, directory: string): Mount | undefined =>
  new MountTree(parseMounts(mountinfo)).lookUp(directory).at(-1)

/**
 * What lies on what, by the ids of parents. The order of the file is that of the mounts' making at most: mount(8) `--move`
 * and propagation put earlier mounts onto later ones, and later ones below.
 */
export class MountTree {
  /** All of them, in the file's order. */
  readonly mounts: readonly Mount[]
  /** By the parent's id and the mount point. Of two in one place, which only Linux before 4.12 has, the later counts. */
  readonly #mounts = new Map<string, Mount>()
  /** The mount of the process's root directory; `undefined` where that is another directory of its mount. */
  readonly #root: Mount | undefined

  constructor(mounts: readonly Mount[]) {
    this.mounts = mounts
    const ids = new Set(mounts.map(({ id }) => id))
    for (const mount of mounts) {
      const { id, parentId, mountPoint } = mount
      // The parent of a root's mount cannot be reached from the root, so it is not listed.
      const isOnRoot = !ids.has(parentId) || parentId === id
      if (isOnRoot && mountPoint === '/') this.#root = mount
      else this.#mounts.set(keyOf(isOnRoot ? NONE : parentId, mountPoint), mount)
    }
  }

  /** Returns the mount that a lookup of `mountPoint` ends at, if something is mounted there. */
  find(mountPoint: string): Mount | undefined {
    const mount = this.lookUp(mountPoint).at(-1)
    return mount?.mountPoint === mountPoint ? mount : undefined
  }

  /** Returns the mounts that lie on a place of this one, also those that no lookup reaches. */
  liesOn({ id }: Mount): Mount[] {
    return this.mounts.filter(mount => mount.parentId === id && mount.id !== id)
  }

  /**
   * Returns the mounts that a lookup of an absolute path enters, one after the other. What is mounted on the root
   * directory itself is not entered: path_init() of fs/namei.c. With `isTransparent` the lookup is one below the mounts
   * above the path for which it says so.
   */
  lookUp(path: string, isTransparent: (mount: Mount) => boolean = () => false): Mount[] {
    const entered = this.#root === undefined ? [] : [this.#root]
    for (let end = path.indexOf('/', 1); path !== '/'; end = path.indexOf('/', end + 1)) {
      const directory = end < 0 ? path : path.slice(0, end)
      for (;;) {
        const mount = this.#mounts.get(keyOf(entered.at(-1)?.id ?? NONE, directory))
        // No kernel lists a mount that lies on itself. A damaged text may.
        if (mount === undefined || entered.includes(mount)) break
        if (end >= 0 && isTransparent(mount)) break
        entered.push(mount)
      }
      if (end < 0) break
    }
    return entered
  }
}

/** No mount has this id. */
const NONE = -1

const keyOf = (parentId: number, mountPoint: string) => `${parentId} ${mountPoint}`

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
