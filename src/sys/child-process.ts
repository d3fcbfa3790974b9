/**
 * node:child_process is loaded when the first child is started: a hook mostly does without it, and loading takes 1 ms.
 * The loading has a file of its own so that tests under Node can load what may start a child.
 */

export const childProcess = () => process.getBuiltinModule('node:child_process')
