/**
 * A server dies at one certain instant of a request: the very reader that it was at gets its text, on every kernel. strace
 * has it die there.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { Opcode } from '../../src/fuse/protocol.ts'
import { REQUESTS_FD } from '../../src/service/handover.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { strace } from '../kit/strace.ts'

/** A machine that is emulated takes minutes. */
const options = { ...needs('strace'), timeout: 400_000 }
const SERVED_MS = 60_000

/** So long after the last request the keeper has gone to sleep, and sends none of its own. */
const QUIET_MS = 4000

/** FUSE_NOTIFY_RESEND as strace shows it: a header of 16 bytes, and 7 for an error. */
const RESEND = String.raw`"\x10\x00\x00\x00\x07\x00\x00\x00`

const FUSE = ['-P', '/dev/fuse', '-e', 'trace=write']

const MEMINFO = /^MemTotal: +\d+ kB\n.+\n$/s

/** Where the journal has its slots, of which few are used here, and the size of a READ. */
const FIRST_SLOT = 4096
const SLOT_SIZE = 8192
const SLOTS = Array.from({ length: 16 }, (_, slot) => FIRST_SLOT + slot * SLOT_SIZE)
const READ_SIZE = 80

const pathIn = (here: Site, file: string) => `${here.mountPoint}/proc/${file}`

async function served(t: Test): Promise<Site> {
  const here = site(t)
  spawn(here.executable, [...here.options, 'serve'], { stdio: 'ignore' })
  await untilServed(here)
  return here
}

async function untilServed(here: Site): Promise<void> {
  await retry(async () => {
    const { stdout } = await execa('cat', [pathIn(here, 'meminfo')], { stripFinalNewline: false })
    if (!MEMINFO.test(stdout)) throw new Error(`Cannot go on: meminfo is "${stdout}"`)
  }, SERVED_MS)
}

function requirePid(here: Site, command: 'serve' | 'server'): number {
  const pid = here.find(command)
  if (pid === undefined) throw new Error(`Cannot find the ${command} process`)
  return pid
}

function openFile(t: Test, path: string, flags: 'r' | 'r+' = 'r'): number {
  const fd = openSync(path, flags)
  t.teardown(() => closeSync(fd))
  return fd
}

/** Text of a file that is open from `start` on, in pieces of so many bytes. */
function readAll(fd: number, start: number, pieces: number): string {
  const buffer = Buffer.alloc(pieces)
  let text = ''
  for (;;) {
    const size = readSync(fd, buffer, { position: start + text.length })
    if (size === 0) return text
    text += buffer.toString('latin1', 0, size)
  }
}

/** Path of the memory that requests are read into. */
const memoryOf = (here: Site) => `/proc/${requirePid(here, 'server')}/fd/${REQUESTS_FD}`

t.test('a server is killed between reading a request and answering it', options, async t => {
  const here = await served(t)
  const fd = openFile(t, pathIn(here, 'meminfo'))
  await sleep(QUIET_MS)
  const [keeper, server] = [requirePid(here, 'serve'), requirePid(here, 'server')]
  const calls = `${here.directory}/calls`
  await strace(t, [keeper], calls, ...FUSE, '-xx', '-s', '16')
  const kill = [...FUSE, '-e', 'inject=write:signal=KILL:when=1']
  await strace(t, [server], '/dev/null', ...kill)
  t.match(readAll(fd, 0, 65_536), MEMINFO)
  t.not(here.find('server'), server, 'it was killed')
  const seen = readFileSync(calls, 'utf8')
  t.match(seen, String.raw`write(3, "\x`, 'the next one has answered')
  t.notMatch(seen, RESEND, 'and has not asked the kernel for the request')
})

/** The last READ that the server has answered, as the journal still has it but for its length. */
function findRead(memory: number): { at: number; request: Buffer } {
  const slots = SLOTS.map(at => {
    const request = Buffer.alloc(READ_SIZE)
    readSync(memory, request, { position: at })
    request.writeUInt32LE(READ_SIZE)
    return { at, request }
  })
  const reads = slots.filter(({ request }) => request.readUInt32LE(4) === Opcode.READ)
  const uniqueOf = ({ request }: { request: Buffer }) => request.readUInt32LE(8)
  const [last] = reads.sort((a, b) => uniqueOf(b) - uniqueOf(a))
  if (last === undefined) throw new Error('Cannot find a READ in the journal')
  return last
}

t.test('a server is killed after answering a request, before it notes that', options, async t => {
  const here = await served(t)
  const fd = openFile(t, pathIn(here, 'uptime'))
  const memory = openFile(t, memoryOf(here), 'r+')
  readSync(fd, Buffer.alloc(1), { position: 0 })
  const { at, request } = findRead(memory)
  const rest = readAll(fd, 1, 1)
  // Two texts of the same time would be the same.
  await sleep(500)
  const server = requirePid(here, 'server')
  process.kill(server, 'SIGSTOP')
  writeSync(memory, request, 0, READ_SIZE, at)
  process.kill(server, 'SIGKILL')
  t.equal(readAll(fd, 1, 1), rest, 'the rest of the text that was begun')
  t.not(here.find('server'), server)
})

t.test('the first server is killed between reading INIT and answering it', options, async t => {
  const here = site(t)
  const inject = ['-e', 'inject=write:delay_enter=5000000:when=1']
  const command = [here.executable, ...here.options, 'serve']
  spawn('strace', ['-f', '-qq', '-o', '/dev/null', ...FUSE, ...inject, ...command], {
    stdio: 'ignore',
  })
  const first = await retry(() => requirePid(here, 'server'))
  await retry(() => hasRead(here))
  process.kill(first, 'SIGKILL')
  await untilServed(here)
  t.not(here.find('server'), first)
})

function hasRead(here: Site): void {
  const header = Buffer.alloc(8)
  const memory = openSync(memoryOf(here), 'r')
  readSync(memory, header, { position: FIRST_SLOT })
  closeSync(memory)
  const [length, opcode] = [header.readUInt32LE(0), header.readUInt32LE(4)]
  if (length === 0 || opcode !== Opcode.INIT) throw new Error('Cannot go on: INIT was not read')
}

t.test('a request at which servers crash fails, and no other', options, async t => {
  const here = await served(t)
  // Who looks for a container is asked for the pid namespace first.
  const script = 'echo $$ && read go && exec cat "$0"'
  const path = `${here.mountPoint}/containers/box/proc/meminfo`
  const reader = execa('sh', ['-c', script, path], { reject: false })
  const [output] = await once(reader.stdout, 'data')
  const namespace = `/proc/${String(output).trim()}/ns/pid`
  const pids = [requirePid(here, 'serve'), requirePid(here, 'server')]
  const die = ['-P', namespace, '-e', 'inject=readlink,readlinkat:signal=SEGV']
  const tracing = await strace(t, pids, '/dev/null', ...die)
  reader.stdin.end('go\n')
  t.match((await reader).stderr, 'Input/output error')
  await tracing.end()
  t.match(here.readLog(), /Cannot answer LOOKUP of node \d+.*servers have died of it/s)
  t.match(readFileSync(pathIn(here, 'meminfo'), 'utf8'), MEMINFO, 'the mount is the same')
})

t.test('a damaged journal is left, and the kernel asked for what was read', options, async t => {
  const here = await served(t)
  await execa('dd', ['if=/dev/urandom', `of=${memoryOf(here)}`, 'count=1', 'conv=notrunc'])
  process.kill(requirePid(here, 'server'), 'SIGKILL')
  t.match(readFileSync(pathIn(here, 'meminfo'), 'utf8'), MEMINFO)
  t.match(here.readLog(), 'the requests that the server before has read cannot be found')
})
