/**
 * Runs in the container: reads the files named in its arguments 50 times a second, for as many seconds as the
 * first says, and prints a line of JSON for each time: when it began and ended, and every text.
 */

const { readFileSync, writeSync } = require('node:fs')

const PERIOD_MS = 20
const [seconds, ...files] = process.argv.slice(2)
const endMs = Date.now() + Number(seconds) * 1000

function sample() {
  const startMs = Date.now()
  const texts = files.map(file => readFileSync(file, 'utf8'))
  write(`${JSON.stringify({ startMs, endMs: Date.now(), texts })}\n`)
  if (startMs < endMs) setTimeout(sample, Math.max(PERIOD_MS - (Date.now() - startMs), 0))
}

/** A pipe takes what fits. */
function write(line) {
  let rest = Buffer.from(line)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
    }
  }
}

sample()
