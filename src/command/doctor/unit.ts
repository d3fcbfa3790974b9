/** Checks the service under systemd: whether its unit is there, can be started, and is started at boot. */

import { basename } from 'node:path'
import type { Host } from '../../host/host.ts'
import { UNIT, UNIT_DIRECTORIES } from '../../service/unit.ts'
import { about, type Finding } from './finding.ts'

const { ok, warning, problem } = about('systemd')

export function checkUnit(host: Host): Finding {
  // systemd runs where this directory exists: sd_booted(3).
  if (!host.has('run/systemd/system')) {
    return ok('systemd does not run here: hooks start the service themselves')
  }
  const unit = UNIT_DIRECTORIES.map(directory => `${directory}/${UNIT}`).find(path =>
    host.has(path),
  )
  if (unit === undefined) {
    return warning(
      `${UNIT} is not installed: the service ends up in no unit, and does not start at boot`,
      `install procveil by its package or install.sh, then systemctl enable --now ${UNIT}`,
    )
  }
  const [, program] = /^ExecStart=[-@:+!|]*(\S+)/m.exec(host.tryRead(unit) ?? '') ?? []
  if (program === undefined || !host.has(program.slice(1))) {
    return problem(
      `/${unit} starts ${program ?? 'nothing'}, which is not there`,
      `put the executable ${program === undefined ? 'into ExecStart=' : `at ${program}`}`,
    )
  }
  if (isEnabled(host)) return ok(`/${unit} is enabled and starts ${program}`)
  return warning(`/${unit} is not started at boot`, `systemctl enable ${UNIT}`)
}

/**
 * `enable` of systemctl(1) makes a symbolic link in the directory of the unit that wants ours. The link may lead to
 * where nothing is yet.
 */
function isEnabled(host: Host): boolean {
  return UNIT_DIRECTORIES.some(directory =>
    host
      .directories(directory)
      .filter(name => /\.(wants|requires)$/.test(name))
      .some(name => host.list(`${directory}/${basename(name)}`).includes(UNIT)),
  )
}
