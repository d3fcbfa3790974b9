/**
 * containerd, as Kubernetes uses it: a runtime named procveil, which is a copy of the default one with another
 * base_runtime_spec (docs/cri/config.md): what its containers are made from has the hook. containerd does not serve pods
 * at all when that file is missing as it starts, so it is written first, and removed last.
 *
 * A file of our own beside config.toml is possible where three things hold.
 * - It is read only where config.toml itself imports it: the default of /etc/containerd/conf.d/*.toml, since 2.2.0, is
 *   what `containerd config default` prints, and an import counts only in a file (LoadConfig, in
 *   cmd/containerd/server/config/config.go of 2.0.0 to 2.3.4).
 * - 2.x merges tables deeply. 1.x replaces all that was said of a plugin by what the imported file says of it, and would
 *   forget the administrator's CRI settings (mergeConfig, in services/server/config/config.go of 1.6.20 and 1.7.24:
 *   `to.Plugins[k] = v`).
 * - It has the version of config.toml: up to 2.2 the highest counts for both, and then names of plugins as in version 2
 *   are no longer translated.
 */

import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type Fields, objectOf, quote, textOf } from '../../host/json.ts'
import {
  anyCriRuntimesOf,
  CONTAINERD_CONFIG,
  CRI_RUNTIME,
  CRI_V1,
  CRI_V2,
  type CriRuntimes,
  criRuntimesOf,
  importsOf,
  isCriDisabled,
} from '../hooks/containerd.ts'
import { GUARDED_HOOK, WRAPPER } from '../hooks/entry.ts'
import { parseToml } from '../hooks/toml.ts'
import { dump, dumpDefault } from './containerd-dump.ts'
import { addHooks } from './edit-hooks.ts'
import { addRuntimes, removeBlocks, renderRuntimes, type Setting } from './edit-toml.ts'
import { readText } from './files.ts'
import { chooseLowLevel } from './low-level.ts'
import type { Change, Plan, Situation } from './plan.ts'
import { reasonOf } from './run.ts'
import { handOnAnnotations, withoutEmpty } from './runtime-table.ts'

const NAME = 'procveil'
export const BASE_SPEC = '/etc/procveil/containerd-base-spec.json'
const SHIM = 'io.containerd.runc.v2'
const DROP_IN = '50-procveil.toml'

export function planContainerd(situation: Situation): Plan {
  const { config, setAsDefault, asRuntime, original } = situation
  const path = config ?? CONTAINERD_CONFIG
  const defaults = dumpDefault(situation)
  const isSecond = Number(defaults.version) >= 3
  const before = original(path)
  const text = before === undefined ? `version = ${isSecond ? 3 : 2}\n` : removeBlocks(before)
  const settings = parseToml(`edit ${path}`, text)
  const plugin = pluginOf(settings.version, isSecond)
  if (criRuntimesOf(settings, plugin)?.runtimes[NAME] !== undefined) {
    throw new Error(
      `Cannot add the runtime ${NAME} to ${path}: it has one, which procveil configure did not write; take it out first`,
    )
  }
  const dropIn = isSecond ? dropInOf(path, settings) : undefined
  const dumped = dump(situation, { path, text, without: dropIn })
  const found = anyCriRuntimesOf(dumped) ?? anyCriRuntimesOf(defaults)
  const copied = copiedFrom(found)
  const made = asRuntime ? planWrapper(situation, path, copied) : planBaseSpec(situation, copied)
  const setting: Setting = {
    plugin,
    runtimes: {
      ...(isSecond ? {} : builtIn(settings, plugin, found)),
      [NAME]: handOnAnnotations(made.table),
    },
    defaultName: setAsDefault ? NAME : undefined,
  }
  const change: Change =
    dropIn === undefined
      ? { path, text: addRuntimes(path, text, setting), kind: 'containerd' }
      : {
          path: dropIn,
          text: `version = ${settings.version}\n\n${renderRuntimes(setting)}`,
          kind: 'own',
        }
  return {
    changes: [...made.changes, change],
    notes: [...made.notes, ...notesOn(path, settings, setAsDefault)],
    use: setAsDefault
      ? 'every pod that is started from then on has the hook, unless its RuntimeClass names another handler'
      : `pods get the hook by a RuntimeClass with "handler: ${NAME}"`,
    restart: { unit: 'containerd', reads: 'its configuration' },
    validate: () => {
      const after =
        dropIn === undefined
          ? dump(situation, { path, text: change.text })
          : dump(situation, { path, text, without: dropIn, instead: change.text })
      check({ path, before: dumped, after, made, setAsDefault })
    },
  }
}

/** The runtime of ours, and what it needs. */
interface Made {
  table: Fields
  changes: readonly Change[]
  notes: Plan['notes']
  /** Whether a runtime that containerd sees is ours. */
  isOurs(seen: Fields): boolean
}

const planBaseSpec = (situation: Situation, copied: Fields): Made => ({
  table: { ...withoutEmpty(copied), base_runtime_spec: BASE_SPEC },
  changes: [
    { path: BASE_SPEC, text: baseSpec(situation, textOf(copied.base_runtime_spec)), kind: 'own' },
  ],
  notes: [],
  isOurs: seen => seen.base_runtime_spec === BASE_SPEC,
})

/** BinaryName is an option of the shim for runc alone. */
function planWrapper(situation: Situation, path: string, copied: Fields): Made {
  if (copied.runtime_type !== SHIM) {
    throw new Error(
      `Cannot put procveil-runtime before containerd's default runtime in ${path}: that is ${quote(copied.runtime_type)}, and must be ${SHIM}`,
    )
  }
  const { options, ...others } = withoutEmpty(copied)
  const named = objectOf(options) ?? {}
  const program = textOf(named.BinaryName)
  return {
    ...chooseLowLevel(situation, program === WRAPPER ? undefined : program),
    table: { ...others, options: { ...named, BinaryName: WRAPPER } },
    isOurs: seen => objectOf(seen.options)?.BinaryName === WRAPPER,
  }
}

/** The plugin's name in a file of some version. One without a version is read as of version 1, and by 2.x as of 3. */
function pluginOf(version: unknown, isSecond: boolean): string {
  if (Number(version) >= 3) return CRI_RUNTIME
  if (Number(version) === 2) return CRI_V2
  return isSecond ? CRI_RUNTIME : CRI_V1
}

function dropInOf(path: string, settings: Fields): string | undefined {
  if (!(Number(settings.version) >= 2)) return undefined
  const pattern = importsOf(path, settings).find(each => each.endsWith('/*.toml'))
  return pattern === undefined ? undefined : `${dirname(pattern)}/${DROP_IN}`
}

function copiedFrom(found: CriRuntimes | undefined): Fields {
  const { runtimes = {}, defaultName = 'runc' } = found ?? {}
  return runtimes[defaultName] ?? { runtime_type: SHIM }
}

/**
 * The runtimes that 1.x has by itself. It forgets them as soon as a file names another one, and with its default runtime
 * gone starts no pod any more, so that they have to be named too: measured with 1.6.20 and 1.7.24.
 */
function builtIn(settings: Fields, plugin: string, found: CriRuntimes | undefined) {
  const named = criRuntimesOf(settings, plugin)?.runtimes ?? {}
  const others = Object.entries(found?.runtimes ?? {}).filter(([name]) => !(name in named))
  return Object.fromEntries(others.map(([name, table]) => [name, withoutEmpty(table)]))
}

/** What containers of the default runtime are made from, with the hook. */
function baseSpec({ host, run }: Situation, copied: string | undefined): string {
  const add = (path: string, text: string) =>
    addHooks(path, text, ['hooks'], GUARDED_HOOK, ['createRuntime', 'poststop'])
  if (copied !== undefined) {
    const text = readText(host, copied)
    if (text !== undefined) return add(copied, text)
    throw new Error(
      `Cannot make ${BASE_SPEC}: ${copied}, which the default runtime is made from, is not there; correct base_runtime_spec`,
    )
  }
  const ran = run('ctr', ['oci', 'spec'])
  if (ran.status === 0) return add('what ctr oci spec prints', ran.stdout)
  throw new Error(`Cannot make ${BASE_SPEC}: ctr oci spec failed: ${reasonOf(ran)}`)
}

function notesOn(path: string, settings: Fields, setAsDefault: boolean): string[] {
  return [
    ...(isCriDisabled(settings)
      ? [
          `disabled_plugins in ${path} names cri, as Docker's package has it: containerd serves no Kubernetes, and no ` +
            'container gets the hook, until that is taken out; for docker use procveil configure docker',
        ]
      : []),
    ...(setAsDefault ? [] : ['--set-as-default makes it the runtime of all pods']),
  ]
}

interface Checked {
  path: string
  before: Fields
  after: Fields
  made: Made
  setAsDefault: boolean
}

/** Checks that containerd sees what it saw before, and our runtime. */
function check({ path, before, after, made, setAsDefault }: Checked): void {
  const [old, now] = [anyCriRuntimesOf(before), anyCriRuntimesOf(after)]
  if (old === undefined) return
  const { [NAME]: ours, ...others } = now?.runtimes ?? {}
  const what =
    ours === undefined || !made.isOurs(ours)
      ? `it does not see the runtime ${NAME}`
      : !isDeepStrictEqual(withoutEmpty(others), withoutEmpty(old.runtimes))
        ? 'it sees other runtimes than before'
        : setAsDefault && now?.defaultName !== NAME
          ? `its default_runtime_name is ${now?.defaultName} all the same, which an imported file may set`
          : undefined
  if (what === undefined) return
  throw new Error(`Cannot add the runtime ${NAME} to ${path}: containerd reads it, but ${what}`)
}

/**
 * Takes our lines out of a file that others have edited. Throws where ours are no longer between our marks. The built-in
 * runtimes stay if the file names others by now.
 */
export function removeRuntime(path: string, text: string): string {
  const left = removeBlocks(text)
  const stray = [BASE_SPEC, WRAPPER].find(each => left.includes(each))
  if (stray !== undefined) {
    throw new Error(
      `Cannot take the runtime ${NAME} out of ${path}: it names ${stray} outside of the lines that procveil marked; ` +
        'take it out by hand',
    )
  }
  const [had, has] = [text, left].map(each => parseToml(`edit ${path}`, each))
  for (const plugin of [CRI_V2, CRI_V1]) {
    const named = criRuntimesOf(has ?? {}, plugin)?.runtimes ?? {}
    const { [NAME]: _, ...others } = criRuntimesOf(had ?? {}, plugin)?.runtimes ?? {}
    const missing = Object.entries(others).filter(([name]) => !(name in named))
    if (Object.keys(named).length === 0 || missing.length === 0) continue
    const runtimes = Object.fromEntries(missing)
    return `${left}${renderRuntimes({ plugin, runtimes, defaultName: undefined })}`
  }
  return left
}
