/** Which room may use which: imports go one way, and what says what a file says touches no system. */

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const SRC = fileURLToPath(new URL('../src', import.meta.url))

/** What each room may import besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  main: ['command', 'sys'],
  command: [
    'oci',
    'view',
    'container',
    'runtimes',
    'service',
    'mount',
    'fuse',
    'proc',
    'host',
    'sys',
  ],
  service: ['filesystem', 'fuse', 'proc', 'view', 'container', 'cgroup', 'mount', 'host', 'sys'],
  filesystem: ['fuse', 'proc', 'host', 'sys'],
  runtimes: ['container', 'cgroup', 'host'],
  mount: ['container', 'host', 'sys'],
  oci: ['container', 'proc'],
  view: ['container', 'cgroup', 'proc', 'host'],
  container: ['view', 'cgroup', 'proc', 'host'],
  cgroup: ['host'],
  proc: ['cgroup'],
  fuse: ['sys'],
  host: [],
  sys: ['host'],
}

/** Rooms and files without any system. In `fuse` only the device is one. */
const PURE = [
  /^proc\//,
  /^cgroup\//,
  /^fuse\/(?!device)/,
  /^host\/(mountinfo|process)/,
  /^oci\/(state|annotations)/,
  /^container\/container/,
]

interface Import {
  file: string
  from: string
  typeOnly: boolean
}

const imports = findImports()

t.ok(imports.length > 100, 'the imports are found')

t.test('rooms import only what lies below them', async t => {
  for (const { file, from } of imports.filter(each => each.from.startsWith('.'))) {
    const [own, other] = [roomOf(file), roomOf(join(dirname(file), from))]
    if (own === other || ALLOWED[own]?.includes(other)) continue
    t.fail(`${file} imports ${from}`)
  }
})

t.test('only sys/ imports bun', async t => {
  for (const { file, from } of imports) {
    if (/^bun(:|$)/.test(from) && roomOf(file) !== 'sys') t.fail(`${file} imports ${from}`)
  }
})

t.test('what is pure imports no system', async t => {
  for (const { file, from, typeOnly } of imports) {
    if (typeOnly || !PURE.some(pattern => pattern.test(file))) continue
    const target = join(dirname(file), from)
    const pure = from.startsWith('.') && PURE.some(pattern => pattern.test(target))
    if (!pure) t.fail(`${file} imports ${from}`)
  }
})

t.test('files stay small', async t => {
  for (const file of files()) {
    const lines = readFileSync(join(SRC, file), 'utf8').split('\n').length
    if (lines > 250) t.fail(`${file} has ${lines} lines`)
  }
})

t.test('every file begins by saying what it holds', async t => {
  for (const file of files()) {
    if (!readFileSync(join(SRC, file), 'utf8').startsWith('/**')) t.fail(`${file} does not`)
  }
})

function files(): string[] {
  return readdirSync(SRC, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(SRC, join(entry.parentPath, entry.name)))
}

function findImports(): Import[] {
  return files().flatMap(file => {
    const text = readFileSync(join(SRC, file), 'utf8')
    const found = text.matchAll(
      /(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|import\('([^']+)'\)/g,
    )
    return [...found].map(match => ({
      file,
      from: match[2] ?? match[3] ?? '',
      typeOnly: match[1] !== undefined,
    }))
  })
}

function roomOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : 'main'
}
