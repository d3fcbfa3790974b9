/** Puts a server together: what it reads, what it keeps, and the loop in which it answers. */

import type { DeviceFiles } from '../../container/device-files.ts'
import { isAlive } from '../../container/identity.ts'
import { Records } from '../../container/records/records.ts'
import type { Registry } from '../../container/registry.ts'
import type { Backend } from '../../filesystem/backend.ts'
import { Failures } from '../../filesystem/failures.ts'
import { HandleNumbers } from '../../filesystem/handle-numbers.ts'
import { Handles } from '../../filesystem/handles.ts'
import { Metrics } from '../../filesystem/metrics.ts'
import { isNumbered, NodeNumbers } from '../../filesystem/node-numbers.ts'
import { operations } from '../../filesystem/operations.ts'
import { fileKey, lookupKey, type Quarantine } from '../../filesystem/quarantine.ts'
import { Renderer } from '../../filesystem/renderer.ts'
import { SavedTexts } from '../../filesystem/saved-texts.ts'
import { Sysfs } from '../../filesystem/sysfs.ts'
import { type Offered, slotOf } from '../../filesystem/tree.ts'
import type { FuseDevice } from '../../fuse/device.ts'
import type { Journal } from '../../fuse/journal.ts'
import { Session } from '../../fuse/session.ts'
import type { Host } from '../../host/host.ts'
import { KeptEntries } from '../../host/kept-entries.ts'
import type { Options } from '../../proc/options.ts'
import type { Log } from '../../sys/log.ts'
import { mapNumbers } from '../../sys/shared-memory.ts'
import { ContainerView } from '../../view/container-view.ts'
import type { Init } from '../../view/devices.ts'
import { Views } from '../../view/views.ts'
import { Answered } from '../answered.ts'
import { HookFailures } from '../hook-failures.ts'
import { BusyPoll } from './busy-poll.ts'
import type { IdleWork } from './idle-work.ts'
import type { KeeperLink } from './keeper-link.ts'
import { Preparation, Turns } from './loop.ts'
import { Progress } from './progress.ts'

export interface Parts {
  host: Host
  log: Log
  version: string
  /** Where the server keeps what the next one finds. */
  runDirectory: string
  registry: Registry
  /** What is known of the containers' devices. */
  deviceFiles: DeviceFiles
  /** Asks for the devices of a container. */
  wantDevices: (init: Init) => boolean
  quarantine: Quarantine
  /** Options that hold where a container has none of its own. */
  defaults: Readonly<Options>
  offered: Offered
  /** How many servers the mount has had. */
  servers: number
  device: FuseDevice
  /** Where requests are until they are answered. */
  journal: Journal
  keeperLink: KeeperLink
  idleWork: IdleWork
  /** Called when the first request was answered. */
  answered: () => void
  /** The loop waits for no longer than this where it would wait for a request. */
  mostWaitMs: number
}

export interface Server {
  backend: Backend
  session: Session
  /** To be called again and again, until it returns false. */
  turns: Turns
}

export function assemble(parts: Parts): Server {
  const { host, log, runDirectory, device, keeperLink, idleWork } = parts
  const preparation = new Preparation()
  const busyPoll = new BusyPoll()
  const texts = new SavedTexts(runDirectory)
  const numbers = new HandleNumbers(runDirectory, Date.now(), texts.highest)
  const nodes: NodeNumbers = new NodeNumbers(`${runDirectory}/nodes`, {
    report: message => log.warning(message),
    isUsed: slot => views.isHeld(slot) || parts.registry.owner(slot) !== undefined,
  })
  const handles = new Handles(numbers, host.clock, texts, nodeid =>
    isNumbered(nodeid) ? (nodes.slotOf(nodeid) ?? 0) : slotOf(nodeid),
  )
  const views = makeViews(parts, handles)
  const renderer = makeRenderer(parts, views)
  const metrics = new Metrics()
  const failures = openHookFailures(runDirectory, log)
  const backend: Backend = {
    findSlot: id => views.findSlot(id),
    ids: () => parts.registry.ids(),
    ofSlot: slot => views.ofSlot(slot),
    ofCaller: pid => views.ofCaller(pid),
    retain: slot => views.retain(slot),
    release: (slot, lookups) => views.release(slot, lookups),
    isHostRoot: (pid, uid) => uid === 0 && isInHostNamespace(host, pid),
    offered: parts.offered,
    render: (file, view) => renderer.render(file, view),
    isAwaited: view => view instanceof ContainerView && view.awaitsDevices(),
    isInLoop: pid => busyPoll.isInLoop(pid),
    prepare: work =>
      preparation.want(() => {
        renderer.begin()
        work()
      }),
    count: (path, seconds) => metrics.read(path, seconds),
    metrics: () =>
      renderMetrics(parts, metrics, {
        views: views.count,
        handles: handles.size,
        hookFailures: failures?.counts ?? new Map(),
      }),
    handles,
    nodes,
    sysfs: makeSysfs(parts, views),
    mountTime: Math.floor(Date.now() / 1000),
  }
  const progress = new Progress(new Answered({ runDirectory }, log), parts.answered)
  const callbacks = {
    report: (error: unknown) => {
      metrics.error()
      log.error(error)
    },
    taken: () => renderer.begin(),
    makeRoom: () => host.giveUpFiles(),
    replied: () => progress.replied(),
  }
  const session = new Session(device, operations(backend), callbacks, parts.journal)
  const turns = new Turns(session, {
    device,
    keeperLink,
    preparation,
    busyPoll,
    idleWork,
    untilNextMs: () => atMost(parts.mostWaitMs, untilMs(host, views.tick())),
  })
  return { backend, session, turns }
}

function makeViews(parts: Parts, handles: Handles): Views {
  const { host, log, runDirectory, registry, quarantine } = parts
  const report = (message: string) => log.warning(message)
  return new Views({
    host,
    registry,
    defaults: parts.defaults,
    records: new Records(runDirectory, mapNumbers, report),
    report,
    isOpen: slot => handles.isOpen(slot),
    finder: {
      files: parts.deviceFiles,
      clock: host.clock,
      want: parts.wantDevices,
      isAlive: init => isAlive(host, init),
    },
    guard: {
      begin: number => quarantine.begin(lookupKey(number)),
      end: () => quarantine.end(),
    },
  })
}

function makeRenderer({ host, log, quarantine }: Parts, views: Views): Renderer {
  return new Renderer(host, log, view => views.keep(view), {
    begin: (file, view) => quarantine.begin(fileKey(views.numberOf(view), file)),
    end: () => quarantine.end(),
  })
}

function makeSysfs({ host, log, quarantine }: Parts, views: Views): Sysfs {
  const failures = new Failures(host.clock, log)
  return new Sysfs({
    entries: new KeptEntries(host),
    guard: {
      begin: (path, view) => quarantine.begin(fileKey(views.numberOf(view), { path })),
      end: () => quarantine.end(),
    },
    failed: (path, cause) => failures.report(path, cause),
  })
}

/** Without room for the file the metrics have no such numbers. */
function openHookFailures(runDirectory: string, log: Log): HookFailures | undefined {
  try {
    return new HookFailures(runDirectory)
  } catch (error) {
    log.error(error)
    return undefined
  }
}

function renderMetrics(
  { version, servers, registry, log }: Parts,
  metrics: Metrics,
  counts: { views: number; handles: number; hookFailures: ReadonlyMap<string, number> },
): Buffer {
  let registered = Number.NaN
  try {
    registered = registry.ids().length
  } catch (error) {
    metrics.error()
    log.error(error)
  }
  return Buffer.from(metrics.render({ version, servers, registered, ...counts }))
}

/** Returns the milliseconds from now until `dueUsec`; `Infinity` when nothing is due. */
function untilMs(host: Host, dueUsec: number | undefined): number {
  if (dueUsec === undefined) return Number.POSITIVE_INFINITY
  return Math.max(0, Math.ceil((dueUsec - host.clock.monotonicUsec()) / 1000))
}

/** As poll(2) wants it: -1 is no limit. */
function atMost(mostMs: number, milliseconds: number): number {
  const least = Math.min(mostMs, milliseconds)
  return least === Number.POSITIVE_INFINITY ? -1 : least
}

/** A process of a container can reach our mount only if someone has bound the whole mount into the container. */
function isInHostNamespace(host: Host, pid: number): boolean {
  const own = host.tryReadLink('proc/self/ns/pid')
  return own !== undefined && host.tryReadLink(`proc/${pid}/ns/pid`) === own
}
