/** Does nothing: what a process of Bun's costs by itself. */

export {}
