/** The memory of the service while an attack goes on. */

import { readFileSync } from 'node:fs'
import type { Site } from '../kit/site.ts'

const EVERY_MS = 250

interface Peak {
  mostMib: number
  /** Which processes these were. */
  what: string
}

export class MemoryWatch {
  readonly #timer: NodeJS.Timeout
  #peak: Peak = { mostMib: 0, what: 'none was seen' }

  constructor(here: Site) {
    this.#timer = setInterval(() => {
      const now = measure(here)
      if (now.mostMib > this.#peak.mostMib) this.#peak = now
    }, EVERY_MS)
  }

  /** At the worst moment. */
  end(): Peak {
    clearInterval(this.#timer)
    return this.#peak
  }
}

/** Of the two, and of what they started. Workers of others, who look or mend, are told and not counted. */
function measure(here: Site): Peak {
  const all = here.processes().map(({ pid, args }) => ({ ...statusOf(pid), pid, args }))
  const own = new Set(here.servers())
  for (const _ of all) for (const { pid, parent } of all) if (own.has(parent)) own.add(pid)
  const counted = all.filter(({ pid }) => own.has(pid))
  const others = all.filter(({ pid, args }) => !own.has(pid) && args.includes('worker'))
  const kinds = counted.map(({ args, mib }) => `${kindOf(args)} ${Math.round(mib)}`).sort()
  const what = `${kinds.join(', ')}; ${others.length} workers of others ${sum(others)}`
  return { mostMib: sum(counted), what }
}

const sum = (processes: readonly { mib: number }[]) =>
  Math.round(processes.reduce((total, { mib }) => total + mib, 0))

const kindOf = (args: readonly string[]) =>
  ['serve', 'server', 'worker'].find(name => args.includes(name)) ?? 'command'

/** Anonymous memory, and the process that started it or has inherited it. None of a process that has ended. */
function statusOf(pid: number): { mib: number; parent: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const field = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
    return { mib: field('RssAnon') / 1024, parent: field('PPid') }
  } catch {
    return { mib: 0, parent: 0 }
  }
}
