/**
 * The server of a rehearsal: put together as the one that answers, but with a connection to no kernel, a directory of its
 * own and a clock that may be ahead. So nothing of it is seen, counted or kept.
 */

import { closeSync, mkdirSync, rmSync } from 'node:fs'
import type { Registry } from '../../container/registry.ts'
import { QUARANTINE_CELLS, Quarantine } from '../../filesystem/quarantine.ts'
import { FuseDevice } from '../../fuse/device.ts'
import { Journal } from '../../fuse/journal.ts'
import { SystemClock } from '../../sys/clock.ts'
import { collectGarbage } from '../../sys/heap.ts'
import { Log } from '../../sys/log.ts'
import { openPipe } from '../../sys/pipe.ts'
import { openSocketPair } from '../../sys/socket-pair.ts'
import type { Settings } from '../default-settings.ts'
import type { ServerOrders } from '../handover.ts'
import { assemble, type Parts } from './assembly.ts'
import { IdleWork } from './idle-work.ts'
import { KeeperLink } from './keeper-link.ts'
import { rehearse } from './rehearsal.ts'
import { RehearsedKernel } from './rehearsed-kernel.ts'

interface Rehearsing {
  settings: Settings
  orders: ServerOrders
  /** Of the server that answers. */
  parts: Pick<
    Parts,
    'host' | 'registry' | 'deviceFiles' | 'defaults' | 'offered' | 'version' | 'servers'
  >
}

/** Returns the steps of a rehearsal; `undefined` where no container is registered whose files could be read. */
export function beginRehearsal(rehearsing: Rehearsing): Generator<void> | undefined {
  const slot = firstSlot(rehearsing.parts.registry)
  return slot === undefined ? undefined : steps(rehearsing, slot)
}

const firstSlot = (registry: Registry): number | undefined =>
  registry.containers().next().value?.slot

function* steps({ settings, orders, parts }: Rehearsing, slot: number): Generator<void> {
  const runDirectory = `${settings.runDirectory}/rehearsal`
  const clock = new SystemClock()
  const host = parts.host.withClock(clock)
  const log = new Log('rehearsal', undefined, () => {})
  const keeper = openPipe()
  const [near, far] = openSocketPair()
  try {
    // A server that was killed may have left it.
    rmSync(runDirectory, { recursive: true, force: true })
    mkdirSync(runDirectory, { mode: 0o700 })
    const { turns } = assemble({
      ...parts,
      host,
      log,
      runDirectory,
      // Looking for devices may hang.
      wantDevices: () => true,
      quarantine: new Quarantine(new Float64Array(QUARANTINE_CELLS), clock),
      device: new FuseDevice(near),
      journal: Journal.ofThisProcess(),
      keeperLink: new KeeperLink(keeper.reader, { ...settings, runDirectory }, orders, log),
      idleWork: new IdleWork(performance.now(), () => [].values()),
      answered: () => {},
      mostWaitMs: 0,
    })
    const kernel = new RehearsedKernel(new FuseDevice(far), () => {
      turns.next()
      // There is no request any more, as there mostly is not after one.
      turns.next()
    })
    const pass = (usec: number) => {
      clock.aheadUsec += usec
    }
    yield* rehearse({ kernel, slot, files: parts.offered, pass })
  } finally {
    for (const fd of [keeper.reader, keeper.writer, near, far]) closeSync(fd)
    host.close()
    rmSync(runDirectory, { recursive: true, force: true })
    collectGarbage()
  }
}
