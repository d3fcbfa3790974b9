/** The runtimes that can be configured, by the names that the command line has for them; NRI is what several share. */

export const RUNTIMES = ['docker', 'containerd', 'crio', 'podman', 'isulad', 'nri'] as const

export type Runtime = (typeof RUNTIMES)[number]

/** Those that can have procveil-runtime as a runtime of their own. The others have hooks for all containers. */
export const WITH_RUNTIMES: readonly Runtime[] = ['docker', 'containerd']

export const isRuntime = (value: unknown): value is Runtime =>
  RUNTIMES.some(runtime => runtime === value)
