/** Waiting without a timer. */

/** Blocks this thread. */
export function sleep(milliseconds: number): void {
  Atomics.wait(sleeper, 0, 0, milliseconds)
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))
