/** `procveil doctor`: tells what is missing or left over on this host, and what to do next. It changes nothing. */

import { writeFileSync } from 'node:fs'
import { Host } from '../host/host.ts'
import { findServed } from '../mount/served.ts'
import { readDefaults } from '../service/config.ts'
import type { Settings } from '../service/default-settings.ts'
import { findAnswering, findKeeper } from '../service/status.ts'
import { showUnit } from '../service/systemd.ts'
import { systemClock } from '../sys/clock.ts'
import { describe, Log } from '../sys/log.ts'
import { printableJson } from '../sys/printable.ts'
import { hangs } from '../worker/hangs.ts'
import type { Workers } from '../worker/workers.ts'
import { tryAskMount } from './containers/ask-mount.ts'
import { listContainers, type Roots } from './containers/list.ts'
import { Pools } from './containers/pools.ts'
import { checkCgroups } from './doctor/cgroups.ts'
import { checkContainers } from './doctor/containers.ts'
import { checkDescriptors } from './doctor/descriptors.ts'
import { about, type Finding, renderFindings } from './doctor/finding.ts'
import { checkHooks } from './doctor/hooks.ts'
import { checkKernel, checkPlace } from './doctor/kernel.ts'
import { checkOthers, checkRegistrations } from './doctor/leftovers.ts'
import { checkLog } from './doctor/log.ts'
import { checkMount, checkPropagation, type Service } from './doctor/mount.ts'
import { checkProcesses } from './doctor/processes.ts'
import { checkRunDirectory } from './doctor/run-directory.ts'
import { checkStore, STORE_PROPERTIES } from './doctor/store.ts'
import { checkUnit } from './doctor/unit.ts'
import { isColourful } from './terminal/table.ts'
import { VERSION } from './version.ts'

/** A file system may take this long to answer: a server that hangs is replaced within 2 s. */
const ASK_MS = 3000

/** A keeper answers within milliseconds, unless the machine is busy. */
const HANG_MS = 3000

/** Directories of users are looked into by so many workers, beside those that hang. */
const SIDE_BY_SIDE = 2
const MOST_HUNG = 16

export interface DoctorOptions extends Roots {
  json?: boolean
}

/** Returns the exit status: 1 when there is a problem. */
export async function doctor(settings: Settings, options: DoctorOptions): Promise<number> {
  const host = new Host('/', systemClock)
  const findings = await examine(host, settings, options)
  const text = options.json
    ? `${printableJson(findings)}\n`
    : renderFindings(findings, isColourful(process.stdout, process.env))
  writeFileSync(1, text)
  return findings.some(({ level }) => level === 'problem') ? 1 : 0
}

async function examine(host: Host, settings: Settings, roots: Roots): Promise<Finding[]> {
  const pools = new Pools(settings, { most: SIDE_BY_SIDE, mostHung: MOST_HUNG })
  const service = await askService(host, settings, pools.root)
  const isOff = service.answer === 'off' && service.keeper !== undefined
  const served = service.answer === 'gone' ? undefined : findServed(host, settings.mountPoint)
  const others = await checkOthers(host, settings, path => ask(pools.users, path))
  return [
    ...checkPlace(host, process.geteuid?.()),
    ...checkKernel(host),
    ...checkCgroups(host),
    ...checkMount(host, settings, VERSION, service),
    checkPropagation(host, settings),
    checkUnit(host),
    ...checkStore(showUnit(host, STORE_PROPERTIES), readCgroups(host, service)),
    checkProcesses(host),
    ...checkDescriptors(host, settings),
    checkRunDirectory(host, settings),
    checkLog(host, settings),
    ...(await attempt('config', 'correct it, or give another --config', async () =>
      checkConfig(settings),
    )),
    ...checkHooks(host),
    ...(await attempt('registrations', 'see that descriptors are left', async () =>
      checkRegistrations(host, settings),
    )),
    ...others.findings,
    ...(await attempt('containers', 'see the messages above', async () => {
      const listed = await listContainers(host, settings, pools, roots, served)
      await pools.close()
      return checkContainers(listed, others.answering, isOff)
    })),
  ]
}

/** Returns /proc/PID/cgroup of the keeper; `undefined` when there is none. */
function readCgroups(host: Host, { keeper }: Service): string | undefined {
  return keeper && host.tryRead(`proc/${keeper.pid}/cgroup`)
}

/** Without a worker the other checks go on. */
const ask = (workers: Workers, path: string) =>
  tryAskMount(workers, path, ASK_MS, new Log('doctor', undefined))

async function askService(host: Host, settings: Settings, workers: Workers): Promise<Service> {
  const { mountPoint, runDirectory } = settings
  const isMounted = findServed(host, mountPoint) !== undefined
  const [answer, isHung] = await Promise.all([
    isMounted ? ask(workers, mountPoint) : ('off' as const),
    hangs(runDirectory, HANG_MS),
  ])
  const keeper = findKeeper(host, runDirectory)
  const server = findAnswering(host, runDirectory)
  return { answer, keeper: keeper && { ...keeper, hangs: isHung }, server }
}

function checkConfig(settings: Settings): Finding[] {
  readDefaults(settings)
  return [about('config').ok(`${settings.config} is valid, or is not there`)]
}

/** Runs an examination. One that fails is a finding, too. */
async function attempt(
  check: string,
  advice: string,
  examination: () => Promise<Finding[]>,
): Promise<Finding[]> {
  try {
    return await examination()
  } catch (error) {
    return [about(check).problem(describe(error), advice)]
  }
}
