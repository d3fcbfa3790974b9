import t, { type Test } from 'tap'
import { Metrics } from '../../src/filesystem/metrics.ts'

const GAUGES = {
  version: '1.2.3',
  registered: 7,
  views: 2,
  handles: 3,
  servers: 4,
  hookFailures: new Map([['space', 5]]),
}

interface Sample {
  name: string
  labels: string
  value: number
}

/** By the rules of `promtool check metrics`: help and type once and first, names, samples of a name together. */
function parse(t: Test, text: string): Sample[] {
  t.match(text, /\n$/)
  const types = new Map<string, string>()
  const helped = new Set<string>()
  const samples: Sample[] = []
  for (const line of text.split('\n').slice(0, -1)) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
    if (kind === 'HELP') {
      t.notOk(helped.has(name), `${name} is explained once`)
      t.match(rest, /\.$/)
      helped.add(name)
      continue
    }
    if (kind === 'TYPE') {
      t.notOk(types.has(name), `${name} has one type`)
      t.match(rest, /^(counter|gauge|histogram)$/)
      types.set(name, rest)
      continue
    }
    const sample = /^([a-z_]+)(\{(?:[a-z]+="[^"\\]*",?)+\})? (\S+)$/.exec(line)
    t.ok(sample, line)
    const full = sample?.[1] ?? ''
    const family = types.has(full) ? full : full.replace(/_(bucket|sum|count)$/, '')
    t.ok(types.has(family) && helped.has(family), `${full} is declared before`)
    t.equal(
      types.get(family) === 'counter',
      full.endsWith('_total'),
      `${full} ends as its type does`,
    )
    samples.push({ name: full, labels: sample?.[2] ?? '', value: Number(sample?.[3]) })
  }
  const families = samples.map(({ name }) => name)
  for (const name of new Set(families)) {
    t.equal(
      families.lastIndexOf(name) - families.indexOf(name) + 1,
      families.filter(each => each === name).length,
    )
  }
  return samples
}

t.test('the metrics are what Prometheus reads', async t => {
  const metrics = new Metrics()
  const before = parse(t, metrics.render(GAUGES))
  t.equal(before.find(each => each.name === 'procveil_containers')?.value, 7)
  for (const seconds of [0.00001, 0.00003, 0.2, 7]) metrics.read('proc/meminfo', seconds)
  metrics.error()
  const after = parse(t, metrics.render(GAUGES))
  const value = (name: string, labels = '') =>
    after.find(each => each.name === name && each.labels === labels)?.value
  t.equal(value('procveil_reads_total', '{file="proc/meminfo"}'), 4)
  t.equal(value('procveil_reads_total', '{file="proc/stat"}'), 0, 'what nobody read is there')
  t.equal(value('procveil_errors_total'), 1)
  t.equal(value('procveil_hook_failures_total', '{reason="space"}'), 5)
  t.equal(value('procveil_build_info', '{version="1.2.3"}'), 1)
  const bucket = (le: string) => value('procveil_read_duration_seconds_bucket', `{le="${le}"}`)
  t.strictSame(
    ['0.000025', '0.00005', '0.05', '0.25', '1', '+Inf'].map(bucket),
    [1, 2, 2, 3, 3, 4],
    'each counts all that are shorter',
  )
  t.equal(value('procveil_read_duration_seconds_count'), 4)
  t.ok(Math.abs((value('procveil_read_duration_seconds_sum') ?? 0) - 7.20004) < 1e-9)
})
