/** `machine-server.ts DIRECTORY`: serves DIRECTORY/mount for the machine whose files lie in DIRECTORY/root. */

import { constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { Registry } from '../../src/container/registry.ts'
import { Host } from '../../src/host/host.ts'
import { KeptHost } from '../../src/host/kept-host.ts'
import { mountFuse } from '../../src/mount/served.ts'
import { DEFAULT_OPTIONS } from '../../src/proc/options.ts'
import { GO, say } from '../../src/service/handover.ts'
import { runServer } from '../../src/service/server/run-server.ts'
import { systemClock } from '../../src/sys/clock.ts'
import { fileCalls } from '../../src/sys/file.ts'
import { Log } from '../../src/sys/log.ts'
import { openPipe } from '../../src/sys/pipe.ts'
import { makeMemory } from '../../src/sys/shared-memory.ts'

const [, , directory = ''] = process.argv
const runDirectory = join(directory, 'run')
const mountPoint = join(directory, 'mount')
const settings = { mountPoint, runDirectory, log: join(directory, 'log'), config: '/nowhere' }
const log = new Log('server', settings.log)
new Registry(runDirectory).register({
  id: 'box',
  pid: process.pid,
  startTicks: 1,
  slot: 1,
  cgroups: { cpuset: '/box', cpu: '/box', cpuacct: '/box' },
  rootfs: '/',
  rootMount: 1,
  options: {},
})
const fuse = openSync('/dev/fuse', constants.O_RDWR | constants.O_NONBLOCK)
mountFuse(fuse, mountPoint)
const host = new KeptHost(join(directory, 'root'), systemClock, fileCalls, 512)
// Who asks is a process of this machine.
host.tryReadLink = path => new Host('/', systemClock).tryReadLink(path)
// No other server is to end first.
const { reader, writer } = openPipe()
say(writer, GO)
runServer({
  host,
  settings,
  log,
  version: 'bench',
  orders: { options: DEFAULT_OPTIONS, resume: false },
  fuseFd: fuse,
  keeperFd: reader,
  requestsFd: makeMemory('procveil-requests'),
})
