/** What a runtime hands to a hook: the state, its annotations, and the bundle's config.json. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { parseContainer, renderContainer } from '../../src/container/container.ts'
import { readOptions } from '../../src/oci/annotations.ts'
import { findRootfs, parseRoot } from '../../src/oci/bundle.ts'
import { parseState, type State } from '../../src/oci/state.ts'
import { DEFAULT_OPTIONS, filesToBind } from '../../src/proc/options.ts'
import { ensure } from '../property/runs.ts'
import { attempt, fuzzer, requireOurs } from './fuzzer.ts'
import { anyJson, NUMBERS } from './mutations.ts'

const FIXTURES = fileURLToPath(new URL('../../fixtures/oci', import.meta.url))
const fixtures = (pattern: RegExp): unknown[] =>
  readdirSync(FIXTURES)
    .filter(name => pattern.test(name))
    .map(name => JSON.parse(readFileSync(join(FIXTURES, name), 'utf8')))

const ANNOTATED = {
  ...{ ociVersion: '1.0.2', id: 'box', status: 'creating', pid: 4242, bundle: '/b', root: 'r' },
  annotations: { 'io.procveil.cpuQuota': 'off', 'io.procveil.files': 'meminfo,stat' },
}
const value = fc.oneof(
  fc.constantFrom('on', 'off', '/', '/..', '/a/../b', 'meminfo,,stat', '/proc/../etc', ...NUMBERS),
  fc.string({ unit: 'binary' }),
)
const name = fc.oneof(
  fc.constantFrom(...Object.keys(DEFAULT_OPTIONS), '__proto__', 'constructor', ''),
  fc.string(),
)
const values = fc.record({
  state: anyJson([...fixtures(/-(create|stop)\.json$/), ANNOTATED]),
  config: anyJson(fixtures(/-config\.json$/)),
  annotations: fc.dictionary(
    name.map(each => `io.procveil.${each}`),
    value,
    { maxKeys: 4 },
  ),
})

export const FUZZER = fuzzer(values, ({ state, config, annotations }, directory) => {
  attempt(() => parseRoot(config.toString()))
  const parsed = attempt(() => parseState(state.toString()))
  for (const each of [annotations, parsed?.annotations ?? {}]) checkAnnotations(each)
  if (parsed === undefined) return
  checkState(parsed)
  const bundle = join(directory, 'bundle')
  mkdirSync(bundle)
  writeFileSync(join(bundle, 'config.json'), config)
  const { root, ...others } = parsed
  for (const each of [
    { ...parsed, bundle },
    { ...others, root: undefined, bundle },
  ]) {
    const rootfs = attempt(() => findRootfs(each)) ?? '/'
    ensure(rootfs.startsWith('/') && !rootfs.includes('\0'), () => `the root is ${rootfs}`)
  }
})

/** What is taken of them is what an operator could have chosen, and the next process reads it as it was written. */
function checkAnnotations(annotations: Readonly<Record<string, string>>): void {
  const options = readOptions(annotations, requireOurs)
  for (const key of Object.keys(options)) ensure(key in DEFAULT_OPTIONS, () => key)
  for (const file of filesToBind({ ...DEFAULT_OPTIONS, ...options })) {
    ensure(/^(proc|sys)\/[a-z/]+$/.test(file), () => file)
  }
  const container = { id: 'box', pid: 2, startTicks: 1, slot: 1, cgroups: {}, rootfs: '/' }
  const text = renderContainer({ ...container, rootMount: 1, options })
  const again = parseContainer(text).options
  ensure(JSON.stringify(again) === JSON.stringify(options), () => `${text} is not ${options}`)
}

function checkState({ id, pid, bundle, root }: State): void {
  ensure(/^[A-Za-z0-9][\w.-]{0,254}$/.test(id), () => `the id is ${id}`)
  ensure(pid === undefined || (Number.isInteger(pid) && pid > 1), () => `the pid is ${pid}`)
  for (const path of [bundle, root]) ensure(path?.includes('\0') !== true, () => `${path}`)
}
