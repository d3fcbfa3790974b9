/** The server process: answers requests from /dev/fuse until the connection ends. */

import { Registry } from '../../container/registry.ts'
import { States } from '../../container/states.ts'
import type { Source } from '../../filesystem/backend.ts'
import { Handles } from '../../filesystem/handles.ts'
import { Metrics } from '../../filesystem/metrics.ts'
import { Moment } from '../../filesystem/moment.ts'
import { operations } from '../../filesystem/operations.ts'
import { Renderer } from '../../filesystem/renderer.ts'
import { SavedTexts } from '../../filesystem/saved-texts.ts'
import type { Offered } from '../../filesystem/tree.ts'
import type { FuseDevice } from '../../fuse/device.ts'
import { Session } from '../../fuse/session.ts'
import type { Host } from '../../host/host.ts'
import { FILES } from '../../proc/files.ts'
import type { Options } from '../../proc/options.ts'
import type { Log } from '../../sys/log.ts'
import { Views } from '../../view/views.ts'
import { Ahead } from './ahead.ts'
import type { Control } from './keeper-link.ts'
import { answer } from './loop.ts'
import { takeTurn } from './sole-server.ts'
import { countStart } from './starts.ts'

export interface Serving {
  version: string
  host: Host
  runDirectory: string
  /** Options of containers that have none of their own. */
  defaults: Readonly<Options>
  device: FuseDevice
  control: Control
  /** Of this mount. */
  isFirst: boolean
  /** Whether an earlier server may have left requests that it read unanswered. */
  resume: boolean
  /** Called when all that an answer needs is there: an earlier server may end now. */
  ready: () => void
  /** Called when the first request was answered. */
  answered: () => void
  log: Log
}

/** Returns when the file system was unmounted, or when the keeper wants it. */
export function serve(serving: Serving): void {
  const { host, runDirectory, defaults, device, control, log } = serving
  const offered = offeredFiles(host)
  serving.ready()
  if (takeTurn(runDirectory, control) === undefined) return
  const registry = new Registry(runDirectory)
  const states = new States(runDirectory)
  states.prepare()
  const handles = new Handles(Date.now(), host.clock, new SavedTexts(runDirectory))
  const report = (message: string) => log.warning(message)
  const isOpen = (slot: number) => handles.isOpen(slot)
  const views = new Views(host, registry, defaults, states, report, isOpen)
  const renderer = new Renderer(host, log)
  const metrics = new Metrics()
  const servers = countStart(runDirectory, serving.isFirst)
  const moment = new Moment((file, view) => {
    const text = renderer.render(file, view)
    views.keep(view)
    return text
  })
  const ahead = new Ahead()
  const source: Source = {
    findSlot: id => registry.find(id)?.slot,
    ids: () => registry.ids(),
    ofSlot: slot => views.ofSlot(slot),
    ofCaller: pid => views.ofCaller(pid),
    retain: slot => views.retain(slot),
    release: (slot, lookups) => views.release(slot, lookups),
    isHostRoot: (pid, uid) => uid === 0 && isInHostNamespace(host, pid),
    offered,
    render: (file, view) => moment.render(file, view),
    ahead: work =>
      ahead.want(() => {
        moment.begin()
        work()
      }),
    count: (path, seconds) => metrics.read(path, seconds),
    metrics: () =>
      Buffer.from(
        metrics.render({
          version: serving.version,
          registered: registry.ids().length,
          views: views.count,
          handles: handles.size,
          servers,
        }),
      ),
    handles,
    mountTime: Math.floor(Date.now() / 1000),
  }
  const session = new Session(device, operations(source), {
    report: error => {
      metrics.error()
      log.error(error)
    },
    taken: () => moment.begin(),
  })
  if (serving.resume && !session.resume()) {
    log.warning('the kernel does not send requests again; their readers may wait for ever')
  }
  answer(session, {
    device,
    control,
    ahead,
    answered: serving.answered,
    untilNextMs: () => untilNext(host, views.tick()),
  })
}

/** What the host has not, a container has not either: a kernel without swap has no /proc/swaps. */
function offeredFiles(host: Host): Offered {
  return new Set(FILES.filter(file => host.has(file.path)))
}

/** Milliseconds to wait for a request until something else is to be done; -1 when there is nothing else. */
function untilNext(host: Host, dueUsec: number | undefined): number {
  if (dueUsec === undefined) return -1
  return Math.max(0, Math.ceil((dueUsec - host.clock.monotonicUsec()) / 1000))
}

/** A process of a container can reach our mount only if someone bound the whole of it there. */
function isInHostNamespace(host: Host, pid: number): boolean {
  const own = host.tryReadLink('proc/self/ns/pid')
  return own !== undefined && host.tryReadLink(`proc/${pid}/ns/pid`) === own
}
