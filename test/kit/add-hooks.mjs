/**
 * `node add-hooks.mjs HOOKS ARGUMENT...`: where the arguments are an OCI runtime's and create a container, adds the
 * hooks of the JSON file HOOKS to those in the bundle's config.json.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [, , file, ...args] = process.argv
const bundle = args[args.indexOf('--bundle') + 1]

if (args.includes('create')) {
  const path = join(bundle, 'config.json')
  const config = JSON.parse(readFileSync(path, 'utf8'))
  const hooks = { ...config.hooks }
  for (const [stage, entries] of Object.entries(JSON.parse(readFileSync(file, 'utf8')))) {
    hooks[stage] = [...(hooks[stage] ?? []), ...entries]
  }
  writeFileSync(path, JSON.stringify({ ...config, hooks }))
}
