/** containerd, as Kubernetes uses it: a runtime whose containers are made from a specification with our hook. */

import type { Host } from '../../../host/host.ts'
import { objectOf, textOf } from '../../../host/json.ts'
import {
  anyCriRuntimesOf,
  CONTAINERD_CONFIG,
  isCriDisabled,
  readContainerdConfigs,
} from '../../hooks/containerd.ts'
import { NRI_RULES } from '../../hooks/nri.ts'
import { about, type Finding } from '../finding.ts'
import { checkEntry, checkWrapper, findInStages, isWrapper, readJson } from './entry.ts'
import { isInstalled } from './installed.ts'

const { warning } = about('hooks')

/** With one of these, containerd runs pods. Without, beside docker, it most likely runs docker's containers alone. */
const KUBERNETES = ['kubelet', 'k3s', 'crictl']

export function checkContainerd(host: Host): Finding[] {
  if (!isInstalled(host, 'containerd')) return []
  const configs = readContainerdConfigs(host, CONTAINERD_CONFIG).map(({ config }) => config)
  const said = configs.flatMap(config => anyCriRuntimesOf(config) ?? [])
  const defaultName = said.findLast(each => each.defaultName !== undefined)?.defaultName
  const findings = said
    .flatMap(({ runtimes }) => Object.entries(runtimes))
    .flatMap(([name, { base_runtime_spec: file, options }]) => {
      const whose =
        name === defaultName ? 'all pods' : `pods whose RuntimeClass has the handler ${name}`
      const wrapper = textOf(objectOf(options)?.BinaryName)
      if (isWrapper(wrapper)) {
        return [checkWrapper(host, 'containerd', CONTAINERD_CONFIG, wrapper, whose)]
      }
      const path = textOf(file)
      const hooks = path === undefined ? undefined : objectOf(readJson(host, path)?.hooks)
      const found = hooks === undefined ? undefined : findInStages(host, hooks)
      if (path === undefined || found === undefined) return []
      const text = `containerd: ${path} is for ${whose}`
      return [checkEntry(host, { who: 'containerd', file: path, text, ...found })]
    })
  if (findings.length > 0) return findings
  const isDockers =
    isInstalled(host, 'dockerd') && !KUBERNETES.some(name => isInstalled(host, name))
  if (isDockers || configs.some(isCriDisabled) || host.has(NRI_RULES.slice(1))) return []
  return [
    warning(
      'containerd: no pod gets our hook',
      'procveil configure nri, or containerd; procveil remount --all for those that run',
    ),
  ]
}
