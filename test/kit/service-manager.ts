/**
 * Plays systemd's part for one service: it keeps the descriptors that the service stores, and starts the service again with
 * them 100 ms after it has ended. Runs under Bun. The service's command is JSON in $COMMAND, so that this process is none
 * that serves. What happens is a line on stdout. SIGTERM stops the service.
 *
 *   COMMAND='["procveil","serve"]' service-manager.ts SOCKET
 */

import { ptr } from 'bun:ffi'
import { closeSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { checked, int, libc, long, pointer } from '../../src/sys/libc.ts'

const [socketName = ''] = process.argv.slice(2)
const command: string[] = JSON.parse(process.env.COMMAND ?? '[]')
/** As the unit has it. */
const RESTART_MS = 100
const MOST_STORED = 16

const calls = libc({
  socket: { args: [int, int, int], returns: int },
  bind: { args: [int, pointer, int], returns: int },
  recvmsg: { args: [int, pointer, int], returns: int },
})

const comparing = libc({ syscall: { args: [long, long, long, long, long, long], returns: int } })
const SYS_KCMP = process.arch === 'arm64' ? 272 : 312
const KCMP_FILE = 0

interface Stored {
  name: string
  fd: number
}

let stored: Stored[] = []
let isStopping = false

const say = (text: string) => writeSync(1, `${text}\n`)
const socket = listen(socketName)
process.on('SIGTERM', () => {
  isStopping = true
  service?.kill('SIGTERM')
})
let service: ReturnType<typeof start> | undefined
while (!isStopping) {
  service = start()
  let isOver = false
  void service.exited.then(() => {
    isOver = true
  })
  while (!isOver) {
    receive()
    await sleep(1)
  }
  receive()
  say(`ended ${service.signalCode ?? service.exitCode}`)
  await sleep(RESTART_MS)
}
process.exit(0)

function start() {
  const names = stored.map(({ name }) => name).join(':')
  // The pid is known to the process itself alone.
  const script = 'LISTEN_PID=$$ exec "$@"'
  const environment = {
    PATH: process.env.PATH ?? '',
    NOTIFY_SOCKET: socketName,
    ...(stored.length === 0 ? {} : { LISTEN_FDS: String(stored.length), LISTEN_FDNAMES: names }),
  }
  say(`starts with ${names}`)
  return Bun.spawn(['sh', '-c', script, 'sh', ...command], {
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit', ...stored.map(({ fd }) => fd)],
  })
}

/** A socket for datagrams; one whose name begins with @ is abstract. */
function listen(name: string): number {
  const [AF_UNIX, SOCK_DGRAM, SOCK_CLOEXEC] = [1, 2, 0o2000000]
  const fd = checked(calls().socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket', 'make one')
  const path = name.startsWith('@') ? `\0${name.slice(1)}` : `${name}\0`
  const address = Buffer.from(`\x01\0${path}`)
  checked(calls().bind(fd, address, address.length), 'bind', `bind ${name}`)
  return fd
}

/** Takes all messages that have come. */
function receive(): void {
  const [MSG_DONTWAIT, MSG_CMSG_CLOEXEC] = [0x40, 0x40000000]
  for (;;) {
    const bytes = Buffer.alloc(4096)
    const control = Buffer.alloc(64)
    const iovec = new BigUint64Array([BigInt(ptr(bytes)), BigInt(bytes.length)])
    const header = new BigUint64Array(7)
    header.set([BigInt(ptr(iovec)), 1n, BigInt(ptr(control)), BigInt(control.length)], 2)
    const size = calls().recvmsg(socket, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)
    if (size < 0) return
    const isWithFd = Number(header[5]) >= 20
    take(bytes.toString('utf8', 0, size), isWithFd ? control.readInt32LE(16) : undefined)
  }
}

function take(message: string, fd: number | undefined): void {
  const lines = message.trim().split('\n')
  const name = lines.find(line => line.startsWith('FDNAME='))?.slice('FDNAME='.length) ?? 'stored'
  if (lines.includes('READY=1')) say('ready')
  if (lines.includes('FDSTOREREMOVE=1')) {
    for (const each of stored.filter(each => each.name === name)) closeSync(each.fd)
    stored = stored.filter(each => each.name !== name)
    say(`removed ${name}`)
  } else if (fd !== undefined) {
    const isKnown = stored.some(each => isSame(each.fd, fd))
    const isTaken = lines.includes('FDSTORE=1') && !isKnown && stored.length < MOST_STORED
    if (isTaken) stored.push({ name, fd })
    else closeSync(fd)
    say(`${isKnown ? 'has' : isTaken ? 'stored' : 'refused'} ${name}`)
  }
}

/** kcmp(2): whether two descriptors are of the same open file, as systemd looks, too. */
function isSame(one: number, other: number): boolean {
  const { pid } = process
  return comparing().syscall(SYS_KCMP, pid, pid, KCMP_FILE, one, other) === 0
}
