/** Checks what ended containers and services have left behind: registrations, and mounts on the host. */

import { isAlive } from '../../container/identity.ts'
import { Registry } from '../../container/registry.ts'
import type { Host } from '../../host/host.ts'
import { MountTree, parseMounts } from '../../host/mountinfo.ts'
import { FS_TYPE } from '../../mount/target.ts'
import type { Settings } from '../../service/default-settings.ts'
import type { Reply } from '../containers/ask-mount.ts'
import { about, type Finding, nameSome } from './finding.ts'

export function checkRegistrations(
  host: Host,
  { runDirectory }: Pick<Settings, 'runDirectory'>,
): Finding[] {
  const { ok, warning } = about('registrations')
  const registry = new Registry(runDirectory)
  const ids = registry.ids().sort()
  const damaged: string[] = []
  const ended: string[] = []
  for (const id of ids) {
    const container = registry.find(id)
    if (container === undefined) damaged.push(id)
    else if (!isAlive(host, container)) ended.push(id)
  }
  const alive = ids.length - damaged.length - ended.length
  const findings = [ok(`${alive} running containers are registered in ${runDirectory}`)]
  if (ended.length > 0) {
    findings.push(
      warning(
        `registrations of ended containers: ${nameSome(ended)}`,
        'procveil remount --all forgets them; see that the hook runs in poststop',
      ),
    )
  }
  if (damaged.length > 0) {
    findings.push(
      warning(
        `registrations that cannot be read: ${nameSome(damaged)}`,
        `remove them from ${runDirectory}/containers, then procveil remount --all`,
      ),
    )
  }
  return findings
}

interface Others {
  findings: Finding[]
  /** Device numbers of the mounts that answer, as `major:minor`. */
  answering: Set<string>
}

/** Checks the mounts of our kind on the host but for our own. They are asked all at once, since each may be hung. */
export async function checkOthers(
  host: Host,
  { mountPoint }: Pick<Settings, 'mountPoint'>,
  askAt: (path: string) => Promise<Reply>,
): Promise<Others> {
  const { ok, warning, problem } = about('mounts')
  const mounts = parseMounts(host.tryRead('proc/self/mountinfo') ?? '')
  const tree = new MountTree(mounts)
  const devices = new Map<string, string>()
  for (const mount of mounts) {
    const isOther = mount.fsType === FS_TYPE && mount.mountPoint !== mountPoint
    // A mount that lies below another mount cannot be asked.
    if (!isOther || tree.find(mount.mountPoint) !== mount) continue
    devices.set(mount.mountPoint, `${mount.major}:${mount.minor}`)
  }
  const answers = await Promise.all(
    [...devices].map(async ([path, device]) => ({ path, device, answer: await askAt(path) })),
  )
  const pathsOf = (wanted: Reply) =>
    answers.filter(({ answer }) => answer === wanted).map(({ path }) => path)
  const findings: Finding[] = []
  const [live, gone, silent] = [pathsOf('answers'), pathsOf('gone'), pathsOf('silent')]
  if (live.length > 0) findings.push(ok(`other mounts of type ${FS_TYPE}: ${nameSome(live)}`))
  if (gone.length > 0) {
    findings.push(
      warning(`mounts that nobody serves any more: ${nameSome(gone)}`, `umount ${gone[0]}`),
    )
  }
  if (silent.length > 0) {
    findings.push(
      problem(
        `mounts that do not answer: ${nameSome(silent)}`,
        `end the process that serves them, or umount --lazy ${silent[0]}`,
      ),
    )
  }
  const unasked = pathsOf('unasked')
  if (unasked.length > 0) {
    findings.push(
      problem(
        `mounts that could not be asked whether they answer: ${nameSome(unasked)}`,
        'see the messages above',
      ),
    )
  }
  const answering = answers.filter(({ answer }) => answer === 'answers')
  return { findings, answering: new Set(answering.map(({ device }) => device)) }
}
