/**
 * `npm run demo`: a container with 256 MiB and one CPU, started by runc with our hook, side by side with its host.
 * Builds and installs what is missing, and leaves nothing behind.
 */

import { existsSync, writeSync } from 'node:fs'
import { execaSync } from 'execa'
import { Box } from '../test/kit/box.ts'
import { BUSYBOX, EXECUTABLE, isInPath } from '../test/kit/requirements.ts'
import { Site } from '../test/kit/site.ts'
import { compile } from './build.ts'

const COMMANDS = [
  'free -m',
  'getconf _NPROCESSORS_ONLN',
  'grep -c ^processor /proc/cpuinfo',
  'cat /proc/uptime',
  'mount | grep lxcfs',
]

const say = (text: string) => writeSync(1, `${text}\n`)

try {
  prepare()
  await demonstrate()
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}

function prepare(): void {
  if (process.getuid?.() !== 0) throw new Error('Cannot start a container: run the demo as root')
  if (!existsSync('/dev/fuse')) throw new Error('Cannot find /dev/fuse: modprobe fuse')
  install()
  if (existsSync(EXECUTABLE)) return
  say('building dist/procveil')
  compile(EXECUTABLE)
}

function install(): void {
  const missing = [
    ...(isInPath('runc') ? [] : ['runc']),
    ...(existsSync(BUSYBOX) ? [] : ['busybox-static']),
    ...(isInPath('free') ? [] : ['procps']),
  ]
  if (missing.length === 0) return
  say(`installing ${missing.join(' ')}`)
  const options = { reject: false, env: { DEBIAN_FRONTEND: 'noninteractive' } }
  const apt = (...args: string[]) =>
    execaSync('apt-get', ['-qq', '-y', ...args], options).exitCode === 0
  const packages = ['install', '--no-install-recommends', ...missing]
  if (apt(...packages) || (apt('update') && apt(...packages))) return
  throw new Error(`Cannot install ${missing.join(' ')}: install them and run the demo again`)
}

async function demonstrate(): Promise<void> {
  const site = new Site()
  const box = new Box(site, 'procveil-demo', {
    memoryBytes: 256 * 2 ** 20,
    cpus: '0',
    hostPrograms: true,
  })
  try {
    say('starting a container with 256 MiB and one CPU')
    await box.start()
    for (const command of COMMANDS) {
      say(`\n$ ${command}`)
      const host = execaSync('sh', ['-c', command], { reject: false }).stdout
      for (const line of host.split('\n')) say(`host      | ${line}`)
      for (const line of (await box.sh(command)).split('\n')) say(`container | ${line}`)
    }
  } finally {
    try {
      await box.remove()
    } finally {
      await site.remove()
    }
  }
}
