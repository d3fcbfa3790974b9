/** How large a state may be. A hook knows it without the rest of this room. */

/** The largest state that is read. A state has a few hundred bytes; annotations may make it longer. */
export const MAX_STATE_BYTES = 1024 * 1024
