/** Opens the view of one container by itself, for who looks at it once. */

import { Groups } from '../cgroup/groups.ts'
import type { Host } from '../host/host.ts'
import type { Options } from '../proc/options.ts'
import { ContainerView } from './container-view.ts'
import type { Subject } from './subject.ts'

export function openView(host: Host, subject: Subject, options: Readonly<Options>): ContainerView {
  return new ContainerView({ groups: new Groups(host), subject, options })
}
