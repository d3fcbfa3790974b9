/**
 * node:child_process, loaded when the first child is started: a hook mostly does without, and it takes 1 ms. This is a
 * file of its own so that tests under Node can load what may start a child.
 */

export const childProcess = () => process.getBuiltinModule('node:child_process')
