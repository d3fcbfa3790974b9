/** What containerd itself makes of a configuration: `containerd config dump`. */

import { basename, dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Fields } from '../../host/json.ts'
import { expand, importsOf } from '../hooks/containerd.ts'
import { parseToml } from '../hooks/toml.ts'
import type { Situation } from './plan.ts'
import { reasonOf, withTemporaryFiles } from './run.ts'

export interface Dumped {
  path: string
  text: string
  /** An imported file that is left out. */
  without?: string | undefined
  /** The text that is read in its place. */
  instead?: string
}

/** What holds without any file. */
export function dumpDefault({ run }: Situation): Fields {
  const ran = run('containerd', ['config', 'default'])
  if (ran.isMissing) {
    throw new Error(
      'Cannot configure containerd: there is no program containerd in PATH; install it first',
    )
  }
  if (ran.status === 0) return parseToml('read what containerd config default prints', ran.stdout)
  throw new Error(`Cannot configure containerd: containerd config default failed: ${reasonOf(ran)}`)
}

/** Throws an error with containerd's own message for a file that it does not accept. */
export function dump(situation: Situation, { path, text, without, instead }: Dumped): Fields {
  const texts = {
    'config.toml': text,
    ...(instead === undefined ? {} : { 'drop-in.toml': instead }),
  }
  return withTemporaryFiles(texts, pathOf => {
    const moved = moveImports(situation, { path, text, without }, instead && pathOf('drop-in.toml'))
    return withTemporaryFiles({ 'config.toml': moved }, pathOf => {
      const ran = situation.run('containerd', ['--config', pathOf('config.toml'), 'config', 'dump'])
      if (ran.status === 0) return parseToml('read what containerd config dump prints', ran.stdout)
      const reason = reasonOf(ran).replaceAll(pathOf('config.toml'), path)
      throw new Error(`Cannot configure containerd: it does not accept ${path}: ${reason}`)
    })
  })
}

/** The text for another place: what it imports is named one by one, and without `without`. */
function moveImports(
  { host }: Situation,
  { path, text, without }: Dumped,
  instead: string | undefined,
): string {
  const settings = parseToml(`edit ${path}`, text)
  if (settings.imports === undefined) return text
  const imports = importsOf(path, settings).flatMap(pattern => {
    const found = expand(host, pattern).filter(each => each !== without)
    const isPlace = without !== undefined && pattern === `${dirname(without)}/*.toml`
    if (!isPlace || instead === undefined) return found.map(each => host.path(each.slice(1)))
    const earlier = found.filter(each => basename(each) < basename(without))
    const named = found.map(each => host.path(each.slice(1)))
    return [...named.slice(0, earlier.length), instead, ...named.slice(earlier.length)]
  })
  const moved = text.replace(
    /^\s*imports\s*=\s*\[[^\]]*\]/m,
    () => `imports = ${JSON.stringify(imports)}`,
  )
  if (isDeepStrictEqual(parseToml(`edit ${path}`, moved), { ...settings, imports })) return moved
  throw new Error(`Cannot configure containerd: the list of imports in ${path} cannot be followed`)
}
