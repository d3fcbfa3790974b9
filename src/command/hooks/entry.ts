/**
 * The hook as runtimes write it down. Each has a form of its own for the one entry that stands here: `hooks/` and
 * `cdi/` hold what is rendered here, and `procveil configure` writes the same.
 */

/** A hook of the OCI runtime specification, config.md, "POSIX-platform Hooks". */
export interface Hook {
  readonly path: string
  readonly args: readonly string[]
  /** Never empty: some stages of some runtimes otherwise hand over the container's environment. */
  readonly env: readonly string[]
  /** Seconds. */
  readonly timeout: number
}

export const EXECUTABLE = '/usr/libexec/procveil/procveil'

/** The runtime that adds the hook to the config.json of each container, and becomes runc. */
export const WRAPPER = '/usr/bin/procveil-runtime'

/** Where hooks write their messages, and a service that a hook has started. */
export const HOOK_LOG = '/var/log/procveil.log'

/** The executable as a hook, with options that stand before its command. */
export const hookOf = (path: string, options: readonly string[]): Hook => ({
  path,
  args: ['procveil', ...options, 'hook'],
  env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
  timeout: 20,
})

/**
 * The hook for what a daemon keeps in memory, and for containers that may outlive the executable: nothing is run once that is
 * gone, where the entry itself would keep a container from starting, or from being deleted. `exec` leaves the state on
 * stdin to the hook.
 */
export const guardedHookOf = (path: string, options: readonly string[]): Hook => ({
  ...hookOf(path, options),
  path: '/bin/sh',
  args: [
    'sh',
    '-c',
    `[ ! -x ${word(path)} ] || exec ${[path, ...options, 'hook'].map(word).join(' ')}`,
  ],
})

/** A word of a shell's command line. */
const word = (text: string) =>
  /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

const HOOK: Hook = hookOf(EXECUTABLE, ['--log', HOOK_LOG])

export const GUARDED_HOOK: Hook = guardedHookOf(EXECUTABLE, ['--log', HOOK_LOG])

/** CDI, "vendor.com/class=name": what `--device` is given. */
export const CDI_KIND = 'procveil.io/proc'
export const CDI_DEVICE = `${CDI_KIND}=view`

/** For a hooks.d directory, oci-hooks(5). */
export const renderHooksDirectoryEntry = () =>
  renderJson({
    version: '1.0.0',
    hook: HOOK,
    when: { always: true },
    stages: ['createRuntime', 'poststop'],
  })

/** For the config.json of a bundle. */
export const renderConfigFragment = () =>
  renderJson({ hooks: { createRuntime: [HOOK], poststop: [HOOK] } })

/** iSulad knows three stages, and drops createRuntime: specs_extend.c, MERGE_HOOKS_ITEM_DEF. */
export const HOOK_SPEC = { prestart: [HOOK], poststart: [], poststop: [HOOK] } as const

/** For iSulad's `hook-spec`. */
export const renderHookSpec = () => renderJson(HOOK_SPEC)

/**
 * A CDI specification with one device. Version 0.5.0 is the oldest that has all of what it says, and a reader refuses
 * a version that it does not know: podman 4.3 knows 0.5.0.
 */
export const renderCdi = () =>
  renderJson({
    cdiVersion: '0.5.0',
    kind: CDI_KIND,
    devices: [
      {
        name: 'view',
        containerEdits: {
          hooks: ['createRuntime', 'poststop'].map(hookName => ({ hookName, ...HOOK })),
        },
      },
    ],
  })

/** JSON in which a list of strings is one line. */
export function renderJson(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2)
  const lists = /\[\s+("(?:[^"\\]|\\.)*"(?:,\s+"(?:[^"\\]|\\.)*")*)\s+\]/g
  return `${text.replace(lists, (_, items: string) => `[${items.replace(/,\n\s+/g, ', ')}]`)}\n`
}
