/** What our processes are started with, besides their command lines: descriptors, and bytes in pipes. */

/** /dev/fuse, in a server and in a keeper that a server has started. */
export const FUSE_FD = 3

/** In a server: the reading end of the pipe from its keeper. */
export const CONTROL_FD = 4

/** What a server tells its keeper by its stdout: it could answer requests now, and it has answered one. */
export const READY = 'r'
export const ANSWERED = 'a'
