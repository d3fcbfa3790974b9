/** To each of these processes. One that is gone does not keep the others from theirs. */
export function signalAll(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    // 0 is the caller's own group of processes.
    if (pid === 0) throw new RangeError(`Cannot send ${name} to process 0: name a process`)
    try {
      process.kill(pid, name)
    } catch {}
  }
}
