/**
 * What the server counts, in the text format of Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Counters begin anew with each server.
 */

import { FILE_PATHS } from '../proc/paths.ts'

/** The path of the metrics in the mount. */
export const METRICS_PATH = 'metrics/procveil.prom'

/** The upper bounds of the histogram's buckets. */
const BOUNDS_SECONDS = [
  0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1,
]

/** Values as they are when the metrics are read. */
interface Gauges {
  version: string
  registered: number
  views: number
  handles: number
  /** Servers of this mount, the present one included. */
  servers: number
  /** How often a hook could not give a container its files, by reason. */
  hookFailures: ReadonlyMap<string, number>
}

export class Metrics {
  readonly #reads = new Map<string, number>(FILE_PATHS.map(path => [path, 0]))
  /** The count of each bucket. The last bucket has no upper bound. */
  readonly #counts = new Uint32Array(BOUNDS_SECONDS.length + 1)
  #seconds = 0
  #errors = 0

  /** Counts a READ request about `path` that was answered. */
  read(path: string, seconds: number): void {
    this.#reads.set(path, (this.#reads.get(path) ?? 0) + 1)
    let bucket = 0
    while (bucket < BOUNDS_SECONDS.length && seconds > (BOUNDS_SECONDS[bucket] ?? 0)) bucket++
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#seconds += seconds
  }

  /** Counts a request that could not be answered. */
  error(): void {
    this.#errors++
  }

  render({ version, registered, views, handles, servers, hookFailures }: Gauges): string {
    const reads = [...this.#reads].map(([path, count]) => `{file="${path}"} ${count}`)
    return [
      ...metric('procveil_build_info', 'gauge', 'The version that serves.', [
        `{version="${version}"} 1`,
      ]),
      ...metric('procveil_containers', 'gauge', 'Containers that are registered.', [
        ` ${registered}`,
      ]),
      ...metric('procveil_views', 'gauge', 'Containers whose files are in use.', [` ${views}`]),
      ...metric('procveil_open_files', 'gauge', 'Files and directories that are open.', [
        ` ${handles}`,
      ]),
      ...metric('procveil_servers_total', 'counter', 'Servers that this mount has had.', [
        ` ${servers}`,
      ]),
      ...metric('procveil_errors_total', 'counter', 'Requests that failed inside the server.', [
        ` ${this.#errors}`,
      ]),
      ...metric(
        'procveil_hook_failures_total',
        'counter',
        'Containers that got no files from a hook, by reason.',
        [...hookFailures].map(([reason, count]) => `{reason="${reason}"} ${count}`),
      ),
      ...metric('procveil_reads_total', 'counter', 'Read requests, by file.', reads),
      ...this.#histogram(),
      '',
    ].join('\n')
  }

  #histogram(): string[] {
    const name = 'procveil_read_duration_seconds'
    let count = 0
    const buckets = [...BOUNDS_SECONDS.map(String), '+Inf'].map((bound, i) => {
      count += this.#counts[i] ?? 0
      return `${name}_bucket{le="${bound}"} ${count}`
    })
    return [
      `# HELP ${name} Time that the server took for a read request.`,
      `# TYPE ${name} histogram`,
      ...buckets,
      `${name}_sum ${this.#seconds}`,
      `${name}_count ${count}`,
    ]
  }
}

function metric(name: string, type: string, help: string, samples: readonly string[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map(each => name + each)]
}
