/** Checks the service as systemd sees it: whether it runs, and whether systemd keeps what outlives our processes. */

import { KEPT_COUNT, parseStored, parseUnit } from '../../service/notify.ts'
import { UNIT } from '../../service/unit.ts'
import { about, type Finding } from './finding.ts'

const { ok, warning, problem } = about('store')

/** What has to be known of the unit. */
export const STORE_PROPERTIES = ['ActiveState', 'SubState', 'NFileDescriptorStore']

/**
 * `show` is what systemctl prints of the unit's STORE_PROPERTIES, and `undefined` where systemd does not say. `cgroups` is
 * /proc/PID/cgroup of the keeper.
 */
export function checkStore(show: string | undefined, cgroups = ''): Finding[] {
  if (show === undefined) return []
  const state = property(show, 'ActiveState')
  const step = property(show, 'SubState')
  if (state === 'failed' || /^(auto-restart|start)/.test(step)) {
    return [
      problem(
        `${UNIT} does not serve: it is ${state}, ${step}`,
        `journalctl -u ${UNIT} says why; mend that, then systemctl start ${UNIT}`,
      ),
    ]
  }
  if (state !== 'active') return []
  const stored = parseStored(show)
  if (stored >= KEPT_COUNT) {
    return [ok('systemd keeps the mount: all of our processes may be killed, and readers wait')]
  }
  const isOfUnit = parseUnit(cgroups) === UNIT
  return [
    warning(
      `systemd keeps ${stored} of ${KEPT_COUNT} descriptors: where both processes are killed at once, containers lose the mount until it is made anew`,
      isOfUnit
        ? `have FileDescriptorStoreMax= and NotifyAccess= of ${UNIT} as they were installed, systemctl daemon-reload, systemctl reload ${UNIT}`
        : `systemctl restart ${UNIT}: the process that serves was not started by systemd`,
    ),
  ]
}

const property = (show: string, name: string) =>
  new RegExp(`^${name}=(.*)$`, 'm').exec(show)?.[1] ?? ''
