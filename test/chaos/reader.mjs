/**
 * Reads all of a container's files over and over until there is a file /tmp/stop, and checks each text: whole, of one moment,
 * and no counter behind what it was. Prints what it saw as JSON, and tells in /tmp/passes.PID how often it has read all of
 * them so far. Plain JavaScript: it runs inside the container.
 *
 * node reader.mjs BUFFER_SIZE [PAUSE_MS]
 */

import { closeSync, existsSync, openSync, readSync, writeFileSync } from 'node:fs'

const FILES = [
  '/proc/meminfo',
  '/proc/stat',
  '/proc/cpuinfo',
  '/proc/uptime',
  '/proc/loadavg',
  '/proc/diskstats',
  '/proc/partitions',
  '/proc/swaps',
  '/proc/pressure/memory',
  '/sys/devices/system/cpu/online',
].filter(file => existsSync(file))

const STOP = '/tmp/stop'
const bufferSize = Number(process.argv[2])
/** After each file, for a machine that has more to do. */
const pauseMs = Number(process.argv[3] ?? 0)
const sleeper = new Int32Array(new SharedArrayBuffer(4))
const buffer = Buffer.alloc(bufferSize)
/** The lists hold the first few of each. */
const seen = { reads: 0, failures: 0, failed: [], wrong: [], longestMs: 0 }
const last = new Map()
const shapes = new Map()
let passes = 0

while (!existsSync(STOP)) {
  for (const file of FILES) {
    const start = performance.now()
    try {
      check(file, readAll(file))
    } catch (error) {
      seen.failures++
      note(seen.failed, `${file}: ${error.message}`)
    }
    seen.reads++
    seen.longestMs = Math.max(seen.longestMs, performance.now() - start)
    if (pauseMs > 0) Atomics.wait(sleeper, 0, 0, pauseMs)
  }
  writeFileSync(`/tmp/passes.${process.pid}`, String(++passes))
}
process.stdout.write(`${JSON.stringify(seen)}\n`)

function readAll(file) {
  const fd = openSync(file, 'r')
  try {
    let text = ''
    for (;;) {
      const size = readSync(fd, buffer, 0, buffer.length, null)
      if (size === 0) return text
      text += buffer.toString('latin1', 0, size)
    }
  } finally {
    closeSync(fd)
  }
}

function check(file, text) {
  // The kernel ends each CPU's record with a blank line, the last one too.
  const end = file === '/proc/cpuinfo' ? '\n\n' : '\n'
  if (!text.endsWith(end) || text.endsWith(`${end}\n`)) wrong(file, text, 'its end')
  // Numbers change, nothing else does: a text of two moments would have a line cut or twice.
  const shape = text.replace(/[\d.]+/g, '0').replace(/ +/g, ' ')
  const known = shapes.get(file) ?? shape
  shapes.set(file, shape)
  if (shape !== known) wrong(file, text, 'its shape')
  const now = counters(file, text)
  const before = last.get(file) ?? now
  last.set(file, now)
  if (now.some((value, i) => !(value >= before[i]))) {
    wrong(file, `${before.join(' ')} then ${now.join(' ')}`, 'a counter went back')
  }
}

function counters(file, text) {
  if (file === '/proc/uptime') return text.trim().split(' ').map(Number)
  if (file === '/proc/diskstats')
    return text.split('\n').flatMap(line => numbers(line).slice(2, 11))
  if (file !== '/proc/stat') return []
  return text
    .split('\n')
    .filter(line => line.startsWith('cpu'))
    .flatMap(line => numbers(line.slice(5)))
}

function numbers(line) {
  return (line.match(/\b\d+\b/g) ?? []).map(Number)
}

function wrong(file, text, what) {
  note(seen.wrong, `${what} of ${file}: ${text.slice(0, 600)}`)
}

function note(list, message) {
  if (list.length < 5) list.push(message)
}
