/** node:child_process, loaded when the first child is started: a hook mostly does without, and it takes 1 ms. */

export const childProcess = () => process.getBuiltinModule('node:child_process')
