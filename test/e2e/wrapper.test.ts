/** Containers under procveil-runtime in front of real runc: their bundles know nothing of our hook. */

import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'
import t, { type Test } from 'tap'
import { type Box, type BoxOptions, box } from '../kit/box.ts'
import { HOST_KIB, readMemTotal } from '../kit/mem-total.ts'
import { EXECUTABLE, needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { type WrapperPlaces, writeWrapper } from '../kit/wrapper.ts'

/** What the container sees before anything else runs in it. */
const FIRST = 'head -n 1 /proc/meminfo >/tmp/first; exec sleep 1000'
const OWN = /^MemTotal: +262144 kB\n$/

/** Calls the wrapper for a bundle, as a container manager does. */
class Wrapped {
  readonly box: Box
  readonly log: string
  readonly config: string
  readonly #wrapper: string
  readonly #root: string

  constructor(site: Site, box: Box, places: Partial<WrapperPlaces>) {
    const { executable, options } = site
    this.box = box
    this.log = join(box.bundle, 'log.json')
    this.config = join(box.bundle, 'config.json')
    this.#root = join(site.directory, 'runc')
    const path = join(site.directory, `${box.id}-runtime`)
    this.#wrapper = writeWrapper(path, { executable, options, ...places })
  }

  call(...args: string[]) {
    const { log } = this
    const all = ['--root', this.#root, '--log', log, '--log-format', 'json', ...args]
    // A container inherits its runtime's stdout: a pipe would never end.
    const stdio = ['ignore', 'ignore', 'ignore'] as const
    return execa(this.#wrapper, all, { reject: false, timeout: 60_000, stdio })
  }

  create(...args: string[]) {
    return this.call('create', '--bundle', this.box.bundle, ...args, this.box.id)
  }

  async start(): Promise<number | undefined> {
    const { exitCode } = await this.create()
    return exitCode === 0 ? (await this.call('start', this.box.id)).exitCode : exitCode
  }

  first(): Promise<string> {
    return retry(() => {
      const text = readFileSync(join(this.box.bundle, 'rootfs/tmp/first'), 'utf8')
      if (text === '') throw new Error('Cannot go on: the container has written nothing yet')
      return text
    })
  }

  messages(): { level: string; msg: string }[] {
    const lines = existsSync(this.log) ? readFileSync(this.log, 'utf8').split('\n') : []
    return lines.filter(line => line !== '').map(line => JSON.parse(line))
  }
}

function wrapped(
  t: Test,
  here: Site,
  places: Partial<WrapperPlaces> = {},
  options: BoxOptions = {},
): Wrapped {
  const made = box(t, here, `w${Math.random().toString(36).slice(2)}`, {
    stages: [],
    memoryBytes: 256 * 2 ** 20,
    command: ['sh', '-c', FIRST],
    ...options,
  })
  return new Wrapped(here, made, places)
}

t.test('a container by create and start', needs('runc'), async t => {
  const here = site(t)
  const one = wrapped(t, here)
  const before = readFileSync(one.config, 'utf8')
  t.equal(await one.start(), 0)
  t.match(await one.first(), OWN, "it sees its own values at its init's first instruction")
  t.strictSame(one.messages(), [])
  t.strictSame(here.registered(), [`${one.box.id}.json`])
  const after = readFileSync(one.config, 'utf8')
  const [head = '', tail = ''] = before.split('"hooks":{')
  t.ok(
    after.startsWith(`${head}"hooks":{`) && after.endsWith(tail),
    'config.json has no other change',
  )
  t.equal((await one.create()).exitCode, 1, 'the same container again')
  t.equal(readFileSync(one.config, 'utf8'), after, 'has one hook')

  const exec = [
    'exec',
    one.box.id,
    'sh',
    '-c',
    'grep -q ^MemTotal:.*262144 /proc/meminfo && exit 7',
  ]
  t.equal((await one.call(...exec)).exitCode, 7, 'exec')
  t.equal((await one.call('update', '--memory', String(128 * 2 ** 20), one.box.id)).exitCode, 0)
  t.match(await one.box.cat('/proc/meminfo'), /^MemTotal: +131072 kB$/m, 'update')
  t.equal((await one.call('kill', one.box.id, 'KILL')).exitCode, 0)
  await retry(async () => t.equal((await one.call('delete', '--force', one.box.id)).exitCode, 0))
  t.strictSame(here.registered(), [], 'delete has it forgotten')
})

t.test('a container by run', needs('runc'), async t => {
  const here = site(t)
  const command = [
    'sh',
    '-c',
    'trap "exit 8" TERM; echo >/tmp/first "$(head -n 1 /proc/meminfo)"; sleep 1000 & wait',
  ]
  const one = wrapped(t, here, {}, { command })
  const running = one.call('run', '--bundle', one.box.bundle, one.box.id)
  t.match(await one.first(), OWN)
  t.equal(readFileSync(`/proc/${running.pid}/comm`, 'utf8'), 'runc\n', 'the process is runc')
  t.ok(running.kill('SIGTERM'))
  const { exitCode } = await running
  t.equal(exitCode, 8, 'which passes signals on, and the status back')
})

t.test('descriptors are passed on', needs('runc'), async t => {
  const here = site(t)
  const command = ['sh', '-c', 'cat <&3 >/tmp/first; exec sleep 1000']
  const one = wrapped(t, here, {}, { command })
  const lines = [
    `exec 3<<EOF\npassed\nEOF`,
    `exec '${join(here.directory, `${one.box.id}-runtime`)}' --root '${here.directory}/runc' run -d --preserve-fds 1 -b '${one.box.bundle}' ${one.box.id}`,
  ]
  execaSync('sh', ['-c', lines.join('\n')], { stdio: 'ignore' })
  t.equal(await one.first(), 'passed\n')
})

t.test('a bundle with the hook gets no second one', needs('runc'), async t => {
  const here = site(t)
  const one = wrapped(t, here, {}, { stages: ['createRuntime'] })
  const before = readFileSync(one.config, 'utf8')
  t.equal(await one.start(), 0)
  t.match(await one.first(), OWN)
  t.equal(readFileSync(one.config, 'utf8'), before)
})

t.test('a container whose package is erased is deleted', needs('runc'), async t => {
  const here = site(t)
  here.executable = join(here.directory, 'procveil')
  copyFileSync(EXECUTABLE, here.executable)
  chmodSync(here.executable, 0o755)
  const one = wrapped(t, here)
  t.equal(await one.start(), 0)
  t.match(await one.first(), OWN)
  renameSync(here.executable, `${here.executable}.gone`)
  t.equal((await one.call('kill', one.box.id, 'KILL')).exitCode, 0)
  await retry(async () => t.equal((await one.call('delete', '--force', one.box.id)).exitCode, 0))
  await one.box.start()
  t.equal(await readMemTotal(one.box), HOST_KIB, 'and its bundle is used again')
})

t.test('a directory of another user, as podman makes it', needs('runc'), async t => {
  const here = site(t)
  const used = join(here.directory, 'used')
  const one = wrapped(t, here, { used })
  chownSync(one.box.bundle, 1000, 1000)
  t.equal(await one.start(), 0)
  t.match(await one.first(), OWN)
  t.strictSame(one.messages(), [])
  t.equal(readFileSync(used, 'utf8'), `${execaSync('which', ['runc']).stdout}\n`, 'who made it')
})

/** What goes wrong, with the beginning of the reason; none where nothing is said. */
const FAILURES: Readonly<
  Record<string, { spoil?: (one: Wrapped, t: Test) => void; program?: string; says?: RegExp }>
> = {
  'no executable': { program: '', says: /there is no executable/ },
  'an executable that hangs': { program: 'exec sleep 100', says: /took longer than 1 s/ },
  'an executable that stops': { program: 'kill -STOP $$', says: /took longer than 1 s/ },
  'an executable that is killed': { program: 'kill -KILL $$', says: /was killed/ },
  'an executable that crashes': { program: 'kill -SEGV $$', says: /ended with status 139/ },
  'an executable of another machine': { program: 'exit 126', says: /ended with status 126/ },
  'an executable that says what it should not': { program: 'echo noise; echo noise >&2' },
  'a bundle that is read-only': {
    spoil: ({ box }, t) => {
      execaSync('mount', ['--bind', box.bundle, box.bundle])
      t.teardown(() => execaSync('umount', ['-l', box.bundle]))
      execaSync('mount', ['-o', 'remount,bind,ro', box.bundle])
    },
    says: /Cannot add the hook to .*config.json: EROFS/,
  },
  'a config.json that is too large': {
    spoil: ({ config }) => {
      const text = readFileSync(config, 'utf8')
      writeFileSync(config, `${' '.repeat(4 * 2 ** 20)}${text}`)
    },
    says: /at most 4194304 are read/,
  },
  'a config.json that is a link': {
    spoil: ({ config }) => {
      renameSync(config, `${config}.real`)
      symlinkSync('config.json.real', config)
    },
    says: /ELOOP/,
  },
  'keys that differ in case alone': {
    spoil: ({ config }) => {
      writeFileSync(config, readFileSync(config, 'utf8').replace('"hooks":{}', '"Hooks":{}'))
    },
    says: /the keys \["Hooks"\]/,
  },
  "a user's config.json": {
    spoil: ({ config }) => chownSync(config, 1000, 1000),
    says: /it belongs to user 1000, not to root/,
  },
  "a user's directory, with a file that has another name": {
    spoil: ({ box, config }) => {
      linkSync(config, `${config}.other`)
      chownSync(box.bundle, 1000, 1000)
    },
    says: /it has 2 names/,
  },
}

for (const [what, { spoil, program, says }] of Object.entries(FAILURES)) {
  t.test(`${what}: the container starts as without us`, needs('runc', 'mount'), async t => {
    const here = site(t)
    const places: Partial<WrapperPlaces> = { seconds: 1 }
    if (program !== undefined) {
      places.executable = join(here.directory, 'program')
      if (program !== '') {
        writeFileSync(places.executable, `#!/bin/sh\n${program}\n`, { mode: 0o755 })
      }
    }
    const one = wrapped(t, here, places)
    // The log is elsewhere than in a bundle that is read-only.
    Object.assign(one, { log: join(here.directory, 'log.json') })
    const before = readFileSync(one.config)
    spoil?.(one, t)
    const spoilt = readFileSync(one.config)
    t.equal((await one.create()).exitCode, 0)
    t.strictSame(readFileSync(one.config), spoilt, 'its config.json stays')
    t.ok(spoilt.length >= before.length)
    t.match(one.messages(), says === undefined ? [] : [{ level: 'warning', msg: says }])
    t.equal(one.messages().length, says === undefined ? 0 : 1)
    t.strictSame(here.registered(), [])
  })
}

t.test("what a runtime says for itself is its log's last error", needs('runc'), async t => {
  const here = site(t)
  const one = wrapped(t, here)
  rmSync(one.config)
  t.equal((await one.create()).exitCode, 1)
  t.match(one.messages(), [
    { level: 'warning', msg: /Cannot add the hook to .*ENOENT/ },
    { level: 'error', msg: /config.json/ },
  ])
  writeFileSync(one.config, '{')
  t.equal((await one.create()).exitCode, 1)
  t.match(one.messages().slice(2), [
    { level: 'warning', msg: /it holds no JSON/ },
    { level: 'error', msg: /unexpected EOF/ },
  ])
})
