/** prometheus-node-exporter in a container, and what a scrape of it says. */

import { createServer } from 'node:net'
import type { Box } from '../../kit/box.ts'
import { retry } from '../../kit/requirements.ts'

export const EXPORTER = '/usr/bin/prometheus-node-exporter'

/** Values by `name{label="value",...}`, as the exporter writes it. */
export type Metrics = ReadonlyMap<string, number>

/** Boxes have the host's network. */
export class Exporter {
  readonly #url: string

  private constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}/metrics`
  }

  /** Its log is `/tmp/exporter.log` in the container. It ends with the container. */
  static async start(box: Box): Promise<Exporter> {
    const port = await freePort()
    const options = [
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=debug',
      '--collector.disable-defaults',
      ...COLLECTORS.map(name => `--collector.${name}`),
      '--collector.cpu.info',
    ]
    const command = `${EXPORTER} ${options.join(' ')} >/tmp/exporter.log 2>&1 </dev/null`
    await box.sh(`setsid sh -c '${command}' >/dev/null 2>&1 </dev/null &`)
    const exporter = new Exporter(port)
    await retry(() => exporter.scrape())
    return exporter
  }

  async scrape(): Promise<Metrics> {
    const response = await fetch(this.#url, { signal: AbortSignal.timeout(10_000) })
    const metrics = new Map<string, number>()
    for (const line of (await response.text()).split('\n')) {
      if (line === '' || line.startsWith('#')) continue
      const end = line.lastIndexOf(' ')
      metrics.set(line.slice(0, end), Number(line.slice(end + 1)))
    }
    return metrics
  }
}

export const COLLECTORS = [
  'cpu',
  'diskstats',
  'loadavg',
  'meminfo',
  'pressure',
  'stat',
  'time',
  'vmstat',
] as const

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('Cannot find a free port')
  return address.port
}
