/**
 * Which room may use which: imports go one way and in no circle, and what says what a file says touches no system.
 * docs/architecture.md has the rooms in words.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const SRC = fileURLToPath(new URL('../src', import.meta.url))

interface Room {
  /** What it may import besides itself. Of a folder that has rooms of its own below this is the folder alone. */
  may: readonly string[]
  /** Why it may import nothing else. */
  because: string
}

/** A folder that is not listed belongs to the one above it. */
const ROOMS: Readonly<Record<string, Room>> = {
  'main.ts': {
    may: ['command', 'sys'],
    because: 'it only finds the command, so that a hook loads no more than a hook needs',
  },
  command: {
    may: [
      ...['command/serve.ts', 'command/containers', 'command/terminal', 'command/doctor'],
      ...['command/completion', 'command/manual', 'command/configure', 'command/jobs', 'worker'],
      ...['command/watch', 'command/hooks', 'command/wrapper'],
      ...['service', 'view', 'oci', 'runtimes', 'nri', 'kubernetes'],
      ...['container', 'mount', 'proc', 'host', 'host/json.ts', 'sys'],
    ],
    because: 'a command speaks to the service from outside, and to the kernel not at all',
  },
  'command/serve.ts': {
    may: ['command', 'service/keeper', 'service/server', 'service', 'host', 'sys'],
    because: 'it only starts one of the two processes',
  },
  'command/jobs': {
    may: [
      ...[
        'command/containers',
        'service',
        'view',
        'worker',
        'oci',
        'runtimes',
        'container',
        'mount',
        'proc',
        'proc/disk',
      ],
      ...['host', 'sys'],
    ],
    because: 'it does for one container what may hang, in a worker',
  },
  'command/containers': {
    may: [
      ...[
        'worker',
        'proc/disk',
        'service',
        'view',
        'oci',
        'runtimes',
        'container',
        'mount',
        'proc',
        'proc/memory',
      ],
      ...['host', 'sys'],
    ],
    because: 'what several commands do with containers knows no single command',
  },
  'command/watch': {
    may: ['command/containers', 'command/jobs', 'runtimes', 'container', 'host', 'sys'],
    because: 'it says which container to look at, and what is done then is a job',
  },
  'command/terminal': {
    may: ['command/containers', 'container', 'sys'],
    because: 'it makes text of what it is given',
  },
  'command/doctor': {
    may: [
      ...['command/terminal', 'command/containers', 'command/hooks', 'service', 'container'],
      ...['nri', 'cgroup', 'mount', 'host', 'host/json.ts', 'sys'],
    ],
    because: 'it looks at the host, and changes nothing',
  },
  'command/configure': {
    may: ['command/hooks', 'nri', 'host', 'host/json.ts', 'sys'],
    because: 'it edits the files of others, whatever runs here',
  },
  'command/hooks': {
    may: ['host', 'host/json.ts'],
    because: 'it says how runtimes write the hook down, for who looks and for who writes',
  },
  'command/wrapper': {
    may: ['command/hooks', 'oci', 'host/json.ts'],
    because: 'a container waits to be created: it edits one file, and looks at nothing else',
  },
  'command/completion': {
    may: ['proc'],
    because: 'it makes text of a grammar',
  },
  'command/manual': {
    may: ['proc'],
    because: 'it makes text of the program and of prose',
  },
  worker: {
    may: ['service', 'sys'],
    because: 'it carries questions and answers, whatever they are about',
  },
  service: {
    may: ['container', 'mount', 'proc', 'host', 'host/json.ts', 'sys'],
    because: 'this is the service as others see it: its processes are started, never called',
  },
  'service/keeper': {
    may: ['service', 'worker', 'container', 'mount', 'cgroup', 'proc', 'host', 'sys'],
    because: 'the keeper outlives whatever a server dies of: it renders and answers nothing',
  },
  'service/server': {
    may: ['service', 'worker', 'filesystem', 'view', 'container', 'fuse', 'proc', 'host', 'sys'],
    because: 'the server is replaced at any moment: it holds nothing that the keeper has to know',
  },
  filesystem: {
    may: ['fuse', 'proc', 'host', 'sys'],
    because: 'how a view is made is behind Backend: the tree serves any text',
  },
  view: {
    may: ['container', 'cgroup', 'proc', 'proc/cpu', 'proc/disk', 'host', 'host/json.ts'],
    because: 'a view is read in tests and by commands, without a mount and without Bun',
  },
  runtimes: {
    may: ['oci', 'container', 'cgroup', 'host', 'host/json.ts'],
    because: 'it finds out who runs from files alone',
  },
  nri: {
    may: ['oci', 'runtimes', 'host', 'host/json.ts', 'sys'],
    because: 'it speaks to runtimes, and knows neither mounts nor the service',
  },
  kubernetes: {
    may: ['host/json.ts'],
    because: 'it asks an API server about one object, and knows nothing of containers',
  },
  container: {
    may: ['cgroup', 'proc', 'proc/disk', 'host', 'host/json.ts'],
    because: 'a registration is plain data, which a hook writes and loads nothing else for',
  },
  mount: {
    may: ['container', 'host', 'sys'],
    because: 'it puts mounts where it is told, whatever is served there',
  },
  oci: {
    may: ['container', 'proc', 'host/json.ts'],
    because: 'it says what a runtime wrote, before anything is looked up',
  },
  proc: {
    may: ['proc/cpu', 'proc/disk', 'proc/memory', 'cgroup', 'host/json.ts'],
    because: 'a file says the same whoever asks: it is made of values, and reads nothing',
  },
  'proc/cpu': { may: ['proc', 'cgroup'], because: 'as proc' },
  'proc/disk': { may: ['proc', 'cgroup'], because: 'as proc' },
  'proc/memory': { may: ['proc', 'cgroup'], because: 'as proc' },
  cgroup: {
    may: ['cgroup/v1', 'cgroup/v2', 'host'],
    because: 'it knows the kernel, and nothing of containers',
  },
  'cgroup/v1': { may: ['cgroup', 'host'], because: 'the versions are chosen between in one place' },
  'cgroup/v2': { may: ['cgroup', 'host'], because: 'the versions are chosen between in one place' },
  fuse: {
    may: ['sys'],
    because: 'the protocol knows nothing of what is served',
  },
  host: {
    may: [],
    because: 'everything else reads the system through it, in tests from a folder',
  },
  'host/json.ts': {
    may: [],
    because: 'it knows values, and nothing of where a text is from',
  },
  sys: {
    may: ['host'],
    because: 'it calls the kernel for the others, and knows of none of them',
  },
}

/** Rooms and files without any system. */
const PURE = [
  /^proc\//,
  /^cgroup\//,
  /^fuse\/(?!device)/,
  /^host\/(mountinfo|proc-pid|json|directory|inotify)/,
  /^oci\/(state|annotations)/,
  /^container\/container/,
  /^kubernetes\/daemonset/,
  /^nri\/(mux|ttrpc|protobuf|messages|answers|rules)/,
]

/** A library that works on bytes alone. */
const PURE_LIBRARIES = ['@bufbuild/protobuf/wire']

interface Import {
  file: string
  from: string
  typeOnly: boolean
  /** Whether it is loaded when it is needed: import(). */
  isLater: boolean
}

const imports = findImports()
const inner = imports
  .filter(({ from }) => from.startsWith('.'))
  .map(each => ({ ...each, target: join(dirname(each.file), each.from) }))

t.ok(imports.length > 100, 'the imports are found')

t.test('rooms import only what lies below them', async t => {
  for (const { file, target } of inner) {
    const [own, other] = [roomOf(file), roomOf(target)]
    const room = ROOMS[own]
    if (own === other || room?.may.includes(other)) continue
    t.fail(`${file} imports ${target}; ${own} may not use ${other}: ${room?.because}`)
  }
})

t.test('every room is there, and what it may import is one', async t => {
  const rooms = new Set(files().map(roomOf))
  for (const [name, { may }] of Object.entries(ROOMS)) {
    for (const each of [name, ...may]) if (!rooms.has(each)) t.fail(`${each} holds no file`)
  }
})

t.test('no file imports itself, through however many others', async t => {
  const circles = findCircles(new Map(files().map(file => [file, targetsOf(file)])))
  for (const circle of circles) t.fail(circle.join(' imports '))
})

t.test('a circle is found', async t => {
  const graph = { a: ['b'], b: ['c', 'd'], c: [], d: ['e'], e: ['b'] }
  t.strictSame(findCircles(new Map(Object.entries(graph))), [['b', 'd', 'e', 'b']])
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
    const pure =
      PURE_LIBRARIES.includes(from) ||
      (from.startsWith('.') && PURE.some(pattern => pattern.test(target)))
    if (!pure) t.fail(`${file} imports ${from}: it is to run without a system`)
  }
})

t.test('what a hook loads before it has its answer needs nothing of node:', async t => {
  const loaded = new Set(['main.ts'])
  for (const file of loaded) {
    for (const each of imports.filter(({ file: from }) => from === file)) {
      if (each.typeOnly || each.isLater) continue
      if (each.from.startsWith('.')) loaded.add(join(dirname(file), each.from))
      else if (each.from !== 'bun:ffi') t.fail(`${file} imports ${each.from}`)
    }
  }
  t.ok(loaded.has('sys/bare-process.ts'))
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

t.test('SECURITY.md names all that is used of the run time', async t => {
  const text = readFileSync(join(SRC, '../SECURITY.md'), 'utf8')
  for (const { from } of findImports()) {
    const [name = ''] = from.split('/')
    if (/^(bun|node):|^bun$/.test(name) && !text.includes(`\`${name}\``)) t.fail(`it lacks ${name}`)
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
      isLater: match[3] !== undefined,
    }))
  })
}

function targetsOf(file: string): string[] {
  return inner.filter(each => each.file === file).map(({ target }) => target)
}

/** The deepest listed room that a file lies in. */
function roomOf(path: string): string {
  for (let room = path; room !== '.'; room = dirname(room)) {
    if (Object.hasOwn(ROOMS, room)) return room
  }
  return path
}

/** Each circle once, from the file by which it is entered back to it. */
function findCircles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = []
  const done = new Set<string>()
  const visit = (file: string, above: readonly string[]) => {
    if (above.includes(file)) circles.push([...above.slice(above.indexOf(file)), file])
    if (done.has(file)) return
    done.add(file)
    for (const target of graph.get(file) ?? []) visit(target, [...above, file])
  }
  for (const file of graph.keys()) visit(file, [])
  return circles
}
