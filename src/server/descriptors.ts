/** The descriptors with which our processes start each other. */

/** /dev/fuse, in a server and in a keeper that takes over. */
export const FUSE_FD = 3

/** In a server: the reading end of the pipe from its keeper. */
export const CONTROL_FD = 4
