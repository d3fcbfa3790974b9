/** The executable runs no code that it finds in its working directory, which may be a container's root. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { EXECUTABLE, needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

t.test('files in the working directory', needs(), async t => {
  const here = site(t)
  const trap = (name: string) =>
    `require('node:fs').writeFileSync('${here.directory}/${name}', 'ran')`
  const files = {
    'bunfig.toml': 'preload = ["./preload.ts"]\n',
    'preload.ts': trap('preloaded'),
    '.env': 'BUN_OPTIONS=--preload ./preload.ts\nPROCVEIL_TRAP=1\n',
    'package.json': '{"type":"module","main":"./preload.ts"}',
    'tsconfig.json': '{"compilerOptions":{"paths":{"*":["./preload.ts"]}}}',
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(here.directory, name), text)
  const { stdout } = await execa(EXECUTABLE, ['--version'], { cwd: here.directory })
  t.match(stdout, /^procveil \d/)
  const bad = await execa(EXECUTABLE, ['hook'], { cwd: here.directory, input: '', reject: false })
  t.match(bad.stderr, 'stdin is empty')
  t.notOk((await execa('ls', [here.directory])).stdout.includes('preloaded'))
})

t.test('every hook entry that we ship gives an environment of its own', async t => {
  const { readdirSync, readFileSync } = await import('node:fs')
  const hooks = new URL('../../hooks/', import.meta.url)
  const entries = readdirSync(hooks)
    .filter(name => name.endsWith('.json'))
    .flatMap(name => findEntries(JSON.parse(readFileSync(new URL(name, hooks), 'utf8'))))
  t.ok(entries.length >= 4)
  for (const entry of entries) {
    t.ok(Array.isArray(entry.env) && entry.env.length > 0)
    t.match(entry.args.join(' '), /^procveil --log \S+ hook$/)
    t.ok(entry.timeout > 0)
    t.match(entry.path, /^\//)
  }
})

interface Entry {
  path: string
  args: string[]
  env: string[]
  timeout: number
}

function findEntries(value: unknown): Entry[] {
  if (typeof value !== 'object' || value === null) return []
  if ('path' in value && 'args' in value) return [value as Entry]
  return Object.values(value).flatMap(findEntries)
}

t.test('it can check itself where the root is on no disk', needs('unshare', 'chroot'), async t => {
  const here = site(t)
  // What lies below an overlay is looked for where its options say, which leads nowhere in a chroot.
  const script = `set -e
    mount -t tmpfs root ${here.directory}; cd ${here.directory}; mkdir upper work root
    mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay root
    for each in proc dev sys; do mount --rbind /$each root/$each; done
    cp ${EXECUTABLE} root/procveil
    exec chroot root /procveil self-check`
  const { stdout } = await execa('unshare', ['--mount', 'sh', '-c', script])
  t.match(stdout, /^procveil \d/)
})
