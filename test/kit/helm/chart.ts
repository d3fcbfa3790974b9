/** The chart in deploy/helm, rendered with the template engine that Helm has. */

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { execaSync } from 'execa'
import { isInPath, skipFor } from '../requirements.ts'

export const CHART = fileURLToPath(new URL('../../../deploy/helm/procveil', import.meta.url))
/** Where Debian has the sources of Go's packages. */
const PACKAGES = '/usr/share/gocode'
const SPRIG = `${PACKAGES}/src/github.com/Masterminds/sprig`

export interface Release {
  name: string
  namespace: string
  service: string
  values: object
}

/** Options for `t.test`, as `needs` has them. */
export const needsGo = () =>
  skipFor(
    isInPath('go') && existsSync(SPRIG)
      ? undefined
      : 'needs go and sprig: apt-get install golang-go golang-github-masterminds-sprig-dev',
  )

/** Returns the texts by the name of their template, for each release. */
export function renderChart(releases: readonly Release[]): Record<string, string>[] {
  const program = fileURLToPath(new URL('main.go', import.meta.url))
  const { stdout } = execaSync('go', ['run', program, CHART], {
    input: JSON.stringify(releases),
    env: { GO111MODULE: 'off', GOPATH: PACKAGES },
  })
  return JSON.parse(stdout)
}

const HEADER = `\
# procveil on all nodes of a cluster, in the mode nri: docs/kubernetes.md. Put your registry's name for the image in.
#
#   kubectl apply -f procveil.yaml
#   kubectl delete -f procveil.yaml    takes it away from all nodes
`

/** What deploy/procveil.yaml has to hold: the chart with its default values. */
export function renderPlain(): string {
  const release = { name: 'procveil', namespace: 'kube-system', service: 'kubectl', values: {} }
  const [texts = {}] = renderChart([release])
  // kubectl deletes in this order: what watches the DaemonSet hears of it before its rights go.
  const documents = [texts['daemonset.yaml'], texts['rbac.yaml']].map(text =>
    text?.replace(/^ +(helm\.sh\/chart|app\.kubernetes\.io\/managed-by):.*\n/gm, '').trim(),
  )
  return `${HEADER}---\n${documents.join('\n---\n')}\n`
}
