/** Device numbers as stat(2) gives them. */

/** Splits a dev_t of the C library, makedev(3). The kernel's numbers have 12 bits (major) and 20 bits (minor). */
export function splitDevice(dev: number): { major: number; minor: number } {
  return { major: (dev >>> 8) & 0xfff, minor: (dev & 0xff) | ((dev >>> 12) & 0xfff00) }
}
