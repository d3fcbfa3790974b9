/** Runs the server: answers requests from /dev/fuse until the connection ends. */

import { DeviceFiles } from '../../container/device-files.ts'
import { isAlive } from '../../container/identity.ts'
import { Records } from '../../container/records/records.ts'
import { Registry } from '../../container/registry.ts'
import type { Backend } from '../../filesystem/backend.ts'
import { HandleNumbers } from '../../filesystem/handle-numbers.ts'
import { Handles } from '../../filesystem/handles.ts'
import { Metrics } from '../../filesystem/metrics.ts'
import { operations } from '../../filesystem/operations.ts'
import { fileKey, lookupKey, QUARANTINE_CELLS, Quarantine } from '../../filesystem/quarantine.ts'
import { Renderer } from '../../filesystem/renderer.ts'
import { SavedTexts } from '../../filesystem/saved-texts.ts'
import { findPlace, type Offered, slotOf } from '../../filesystem/tree.ts'
import { FuseDevice, openClone } from '../../fuse/device.ts'
import { Session } from '../../fuse/session.ts'
import { type Host, orUndefined } from '../../host/host.ts'
import { FILES } from '../../proc/files.ts'
import type { Log } from '../../sys/log.ts'
import { mapNumbers } from '../../sys/shared-memory.ts'
import { ContainerView } from '../../view/container-view.ts'
import { Views } from '../../view/views.ts'
import { tellWorkers } from '../../worker/tell-workers.ts'
import { Answered } from '../answered.ts'
import { ANSWERED, READY, type ServerOrders, say } from '../handover.ts'
import { mapInRunDirectory } from '../mapped-numbers.ts'
import type { Settings } from '../settings.ts'
import { BusyPoll } from './busy-poll.ts'
import { IdleWork } from './idle-work.ts'
import { KeeperLink } from './keeper-link.ts'
import { Preparation, runLoop } from './loop.ts'
import { Progress } from './progress.ts'
import { rehearse } from './rehearsal.ts'
import { rehearsedView } from './rehearsed-view.ts'
import { becomeSoleServer, countServers } from './sole-server.ts'

/** The server says READY and ANSWERED to its keeper on stdout. */
const STDOUT = 1

interface ServerSetup {
  host: Host
  settings: Settings
  log: Log
  version: string
  orders: ServerOrders
  /** /dev/fuse. */
  fuseFd: number
  /** The reading end of the pipe from the keeper. */
  keeperFd: number
}

/** Returns when the file system was unmounted, or when the keeper wants it. */
export function runServer(setup: ServerSetup): void {
  const { host, settings, log, orders, fuseFd, keeperFd } = setup
  const device = orders.resend ? new FuseDevice(fuseFd) : openClone(fuseFd)
  const keeperLink = new KeeperLink(keeperFd, settings, orders, log)
  const offered = offeredFiles(host)
  say(STDOUT, READY)
  if (!becomeSoleServer(host, settings.runDirectory, keeperLink, orders.beforePid)) return
  const ahead = { preparation: new Preparation(), busyPoll: new BusyPoll() }
  const { backend, metrics, quarantine, registry, renderer, views } = makeBackend(
    setup,
    offered,
    ahead,
  )
  const progress = new Progress(new Answered(settings, log), () => say(STDOUT, ANSWERED))
  const session = new Session(device, operations(backend), {
    report: error => {
      metrics.error()
      log.error(error)
    },
    taken: () => renderer.begin(),
    replied: () => progress.replied(),
  })
  if (orders.resume && orders.resend && !session.resume()) {
    log.warning('the kernel does not send requests again; their readers may wait for ever')
  }
  const rehearsal = makeRehearsal(setup, registry, backend, quarantine)
  runLoop(session, {
    device,
    keeperLink,
    ...ahead,
    idleWork: new IdleWork(performance.now(), rehearsal),
    untilNextMs: () => untilNextMs(host, views.tick()),
  })
}

/** What is done before it is asked for. */
interface Ahead {
  preparation: Preparation
  busyPoll: BusyPoll
}

function makeBackend(setup: ServerSetup, offered: Offered, { preparation, busyPoll }: Ahead) {
  const { host, settings, log, version, orders } = setup
  const { runDirectory } = settings
  const registry = new Registry(runDirectory)
  registry.migrate(error => log.error(error))
  const records = new Records(runDirectory, mapNumbers, message => log.warning(message))
  const texts = new SavedTexts(runDirectory)
  const numbers = new HandleNumbers(runDirectory, Date.now(), texts.highest)
  const handles = new Handles(numbers, host.clock, texts)
  const quarantine = openQuarantine(setup, registry)
  const views = new Views({
    host,
    registry,
    defaults: orders.options,
    records,
    report: message => log.warning(message),
    isOpen: slot => handles.isOpen(slot),
    finder: {
      files: new DeviceFiles(runDirectory),
      clock: host.clock,
      want: init => tellWorkers(runDirectory, 'devices', init),
      isAlive: init => isAlive(host, init),
    },
    guard: {
      begin: number => quarantine.begin(lookupKey(number)),
      end: () => quarantine.end(),
    },
  })
  const renderer = new Renderer(host, log, view => views.keep(view), {
    begin: (file, view) => quarantine.begin(fileKey(views.numberOf(view), file)),
    end: () => quarantine.end(),
  })
  const metrics = new Metrics()
  const servers = countServers(runDirectory, !orders.resume)
  const countRegistered = () => {
    try {
      return registry.ids().length
    } catch (error) {
      metrics.error()
      log.error(error)
      return Number.NaN
    }
  }
  const renderMetrics = () =>
    metrics.render({
      version,
      registered: countRegistered(),
      views: views.count,
      handles: handles.size,
      servers,
    })
  const backend: Backend = {
    findSlot: id => views.findSlot(id),
    ids: () => registry.ids(),
    ofSlot: slot => views.ofSlot(slot),
    ofCaller: pid => views.ofCaller(pid),
    retain: slot => views.retain(slot),
    release: (slot, lookups) => views.release(slot, lookups),
    isHostRoot: (pid, uid) => uid === 0 && isInHostNamespace(host, pid),
    offered,
    render: (file, view) => renderer.render(file, view),
    isAwaited: view => view instanceof ContainerView && view.awaitsDevices(),
    isInLoop: pid => busyPoll.isInLoop(pid),
    prepare: work =>
      preparation.want(() => {
        renderer.begin()
        work()
      }),
    count: (path, seconds) => metrics.read(path, seconds),
    metrics: () => Buffer.from(renderMetrics()),
    handles,
    mountTime: Math.floor(Date.now() / 1000),
  }
  return { backend, metrics, quarantine, registry, renderer, views }
}

/**
 * Returns what begins the rehearsal. There is none after a server that hung or crashed, nor while a file is known at
 * which one did: this one would do so, too.
 */
function makeRehearsal(
  { host, settings, orders }: ServerSetup,
  registry: Registry,
  backend: Backend,
  quarantine: Quarantine,
) {
  const files = new DeviceFiles(settings.runDirectory)
  return () => {
    if (orders.blameUsec !== undefined || !quarantine.isEmpty) return [].values()
    const view = rehearsedView(host, { registry, files, defaults: orders.options })
    return view && rehearse(host, backend, view)
  }
}

/** Finds out what the server before was rendering or looking for, where it hung or crashed. */
function openQuarantine({ host, settings, log, orders }: ServerSetup, registry: Registry) {
  // Without a file nothing of this server is known to the next one.
  const cells = mapInRunDirectory(settings, 'rendering', QUARANTINE_CELLS, log)
  const quarantine = new Quarantine(cells, host.clock)
  const key = quarantine.blame(orders.blameUsec)
  if (key === undefined) return quarantine
  const slot = slotOf(key)
  const id = orUndefined(() => [...registry.containers()].find(each => each.slot === slot)?.id)
  const what = findPlace(key)?.path ?? 'the view'
  log.warning(
    `the server before failed at ${what} of ${id ?? 'a process'}, which sees the host's for 5 minutes`,
  )
  return quarantine
}

/**
 * Returns the files that containers are offered, which are those that the host has: a kernel without swap, for
 * example, has no /proc/swaps.
 */
function offeredFiles(host: Host): Offered {
  return new Set(FILES.filter(file => host.has(file.path)))
}

/** Returns the milliseconds from now until `dueUsec`; -1 when nothing is due. */
function untilNextMs(host: Host, dueUsec: number | undefined): number {
  if (dueUsec === undefined) return -1
  return Math.max(0, Math.ceil((dueUsec - host.clock.monotonicUsec()) / 1000))
}

/** A process of a container can reach our mount only if someone has bound the whole mount into the container. */
function isInHostNamespace(host: Host, pid: number): boolean {
  const own = host.tryReadLink('proc/self/ns/pid')
  return own !== undefined && host.tryReadLink(`proc/${pid}/ns/pid`) === own
}
