/** Versions of the kernel, as uname(2) and /proc/sys/kernel/osrelease have them: `6.1.0-18-amd64`. */

/** Whether a release is of this version or a newer one; false where it is none. */
export function isFrom(release: string, [major, minor]: readonly [number, number]): boolean {
  const [, own, ownMinor] = /^(\d+)\.(\d+)/.exec(release) ?? []
  return Number(own) > major || (Number(own) === major && Number(ownMinor) >= minor)
}
