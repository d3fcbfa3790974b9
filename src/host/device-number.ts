/** Device numbers as stat(2) gives them. */

/** The C library's dev_t, makedev(3); the kernel's numbers have 12 and 20 bits. */
export function splitDevice(dev: number): { major: number; minor: number } {
  return { major: (dev >>> 8) & 0xfff, minor: (dev & 0xff) | ((dev >>> 12) & 0xfff00) }
}
