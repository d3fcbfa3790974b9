/** The manifests of deploy/, as the API's schemas and Helm's template engine see them. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import { DaemonSet } from 'kubernetes-models/apps/v1'
import { RuntimeClass } from 'kubernetes-models/node.k8s.io/v1'
import { Role, RoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1'
import { ServiceAccount } from 'kubernetes-models/v1'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { VERSION } from '../../scripts/build.ts'
import { parseRules } from '../../src/nri/rules.ts'
import { OPTION_DESCRIPTIONS } from '../../src/proc/option-descriptions.ts'
import { DEFAULT_OPTIONS, parseOptions } from '../../src/proc/options.ts'
import { CHART, needsGo, type Release, renderChart, renderPlain } from '../kit/helm/chart.ts'

const PLAIN = fileURLToPath(new URL('../../deploy/procveil.yaml', import.meta.url))
const KINDS = { DaemonSet, Role, RoleBinding, RuntimeClass, ServiceAccount }

interface Resource {
  kind: keyof typeof KINDS
  metadata: { name: string; namespace?: string }
  [field: string]: unknown
}

const read = (name: string) => readFileSync(join(CHART, name), 'utf8')
const values = parse(read('values.yaml'))
const isValid = new Ajv({ allErrors: true }).compile(JSON.parse(read('values.schema.json')))

const helm = (values: object, name = 'procveil'): Release => ({
  ...{ name, namespace: 'kube-system', service: 'Helm' },
  values,
})

function parseResources(text: string): Resource[] {
  return parseAllDocuments(text)
    .map(document => {
      if (document.errors.length > 0) throw document.errors[0]
      return document.toJS()
    })
    .filter(each => each !== null)
}

const resourcesOf = (texts: Record<string, string>) =>
  Object.entries(texts)
    .filter(([name]) => name.endsWith('.yaml'))
    .flatMap(([, text]) => parseResources(text))

/** Throws for what the API server would refuse by its schema. */
function validate(resource: Resource): void {
  const Kind = KINDS[resource.kind]
  new Kind(resource as never).validate()
}

// biome-ignore lint/suspicious/noExplicitAny: whatever a manifest has there.
const containerOf = (daemonSet: any) => daemonSet.spec.template.spec.containers[0]

function environmentOf(resources: readonly Resource[]): Record<string, string> {
  const daemonSet = resources.find(({ kind }) => kind === 'DaemonSet')
  const entries: { name: string; value: string }[] = containerOf(daemonSet).env
  return Object.fromEntries(entries.map(({ name, value }) => [name, value]))
}

t.test('the plain manifests are the chart with its default values', needsGo(), async t => {
  const text = renderPlain()
  if (process.env.PROCVEIL_WRITE) writeFileSync(PLAIN, text)
  t.equal(readFileSync(PLAIN, 'utf8'), text, 'PROCVEIL_WRITE=1 npx tap test/deploy/chart.test.ts')
})

t.test('the plain manifests are what the API knows', async t => {
  const resources = parseResources(readFileSync(PLAIN, 'utf8'))
  for (const each of resources) validate(each)
  const kinds = resources.map(({ kind }) => kind)
  t.strictSame(kinds, ['DaemonSet', 'ServiceAccount', 'Role', 'RoleBinding'])
  t.throws(() => validate({ ...resources[0], spec: { replicas: 1 } } as never), 'it is looked at')
  const { MODE, RULES = '', OPTIONS = '' } = environmentOf(resources)
  t.equal(MODE, 'nri')
  t.strictSame(parseRules(RULES, 'RULES'), {
    ...{ pods: 'annotated', exceptNamespaces: ['kube-system'], socket: undefined },
  })
  t.strictSame(parseOptions(JSON.parse(OPTIONS), 'OPTIONS'), {})
})

t.test('whatever the values are, the API knows what the chart makes', needsGo(), async t => {
  const cases = [
    {},
    { mode: 'runtimeclass', runtimeClass: { name: 'own-proc' }, nodeSelector: { pool: 'java' } },
    { mode: 'base-spec', runtime: 'crio', tolerations: [], affinity: {} },
    {
      nri: { pods: 'all', exceptNamespaces: [], socket: '/run/k3s/nri.sock' },
      options: { loadavg: 'off', files: ['meminfo'] },
      image: { repository: 'docker.io/somebody/procveil', tag: 'latest' },
      imagePullSecrets: [{ name: 'secret' }],
      podAnnotations: { one: 'two' },
      podLabels: { three: 'four' },
      updateStrategy: { type: 'OnDelete', rollingUpdate: null },
    },
  ]
  const names = ['procveil', 'here', 'a'.repeat(60), 'procveil']
  const rendered = renderChart(cases.map((each, at) => helm(each, names[at])))
  const all = rendered.map(resourcesOf)
  for (const each of all.flat()) validate(each)
  const kinds = all.map(each => each.map(({ kind }) => kind).sort())
  const usual = ['DaemonSet', 'Role', 'RoleBinding', 'ServiceAccount']
  t.strictSame(kinds, [usual, [...usual, 'RuntimeClass'].sort(), usual, usual])

  const runtimeClass = all[1]?.find(({ kind }) => kind === 'RuntimeClass')
  t.match(runtimeClass, {
    metadata: { name: 'own-proc' },
    handler: 'procveil',
    scheduling: { nodeSelector: { pool: 'java' } },
  })
  t.match(environmentOf(all[1] ?? []), { MODE: 'runtimeclass', DAEMONSET: 'here-procveil' })
  t.match(environmentOf(all[2] ?? []), { MODE: 'base-spec', RUNTIME: 'crio' })
  const { RULES = '', OPTIONS = '' } = environmentOf(all[3] ?? [])
  t.strictSame(parseRules(RULES, 'RULES'), {
    ...{ pods: 'all', exceptNamespaces: [], socket: '/run/k3s/nri.sock' },
  })
  t.match(parseOptions(JSON.parse(OPTIONS), 'OPTIONS'), { loadavg: 'off' })
  t.match(
    containerOf(all[3]?.find(({ kind }) => kind === 'DaemonSet')).image,
    /^docker.io\/somebody\/procveil:latest$/,
  )
  for (const text of rendered) t.match(text['NOTES.txt'], /their own \/proc/)
})

t.test('a pod may ask for its own DaemonSet, and nothing else', needsGo(), async t => {
  for (const name of ['procveil', 'a'.repeat(60)]) {
    const [texts = {}] = renderChart([helm({}, name)])
    const resources = resourcesOf(texts)
    const find = (kind: string) => resources.find(each => each.kind === kind)
    const full = find('DaemonSet')?.metadata.name ?? ''
    t.ok(full.length <= 63)
    t.strictSame(find('Role')?.rules, [
      {
        ...{ apiGroups: ['apps'], resources: ['daemonsets'], resourceNames: [full] },
        verbs: ['get', 'watch'],
      },
    ])
    t.equal(environmentOf(resources).DAEMONSET, full)
    t.match(find('RoleBinding'), { roleRef: { name: full }, subjects: [{ name: full }] })
  }
})

t.test('the schema of the values', async t => {
  t.ok(isValid(values), JSON.stringify(isValid.errors))
  for (const wrong of [
    { mode: 'webhook' },
    { nri: { pods: 'some', exceptNamespaces: [] } },
    { options: { loadavg: 'perhaps' } },
    { options: { unknown: 'on' } },
    { image: { repository: '' } },
    { imaeg: {} },
  ]) {
    t.notOk(isValid({ ...values, ...wrong }), JSON.stringify(wrong))
  }
  const { properties } = JSON.parse(read('values.schema.json'))
  t.strictSame(
    Object.keys(values).sort(),
    Object.keys(properties)
      .filter(name => name !== 'global')
      .sort(),
  )
  const options = properties.options.properties
  t.strictSame(Object.keys(options).sort(), Object.keys(DEFAULT_OPTIONS).sort(), 'all options')
  for (const [name, description] of Object.entries(OPTION_DESCRIPTIONS)) {
    if (!('values' in description)) continue
    t.strictSame([...options[name].enum].sort(), Object.keys(description.values).sort(), name)
  }
})

t.test('the chart has the version of the executable', async t => {
  t.match(parse(read('Chart.yaml')), { version: VERSION, appVersion: VERSION })
})

t.test('the image has what install.sh puts onto a node', async t => {
  const project = (name: string) =>
    readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8')
  const copied = [...project('deploy/Dockerfile').matchAll(/^COPY (.*) \S+$/gm)].flatMap(
    ([, names = '']) => names.split(' '),
  )
  const main = /main\) cat <<EOF\n([\s\S]*?)\nEOF/.exec(project('install.sh'))?.[1] ?? ''
  const needed = main
    .split('\n')
    .filter(line => !line.startsWith('link'))
    .map(line => line.split(' ')[1]?.split('/')[0] ?? '')
  t.ok(needed.length > 10)
  t.strictSame(
    [...new Set(needed)].filter(name => !copied.includes(name)),
    [],
  )
  t.ok(readdirSync(fileURLToPath(new URL('../../deploy', import.meta.url))).includes('node.sh'))
})
