/** System calls of each server for a read, by strace(1). */

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { figure, type Report } from './report.ts'
import { FILES, type Stage } from './stage.ts'

const MILLISECONDS = 300
const ATTACH_MS = 500

export async function syscalls(stage: Stage, report: Report): Promise<void> {
  const servers = stage.targets.filter(target => target.pids().length > 0)
  const rows = [['file', ...servers.map(({ name }) => name)]]
  for (const file of FILES) {
    const row = [file]
    for (const { name, root, pids, lacks } of servers) {
      if (lacks?.includes(file)) {
        row.push('-')
        continue
      }
      const output = join(stage.site.directory, 'strace')
      const attach = pids().flatMap(pid => ['-p', String(pid)])
      const tracer = spawn('strace', ['-f', '-c', '-o', output, ...attach], { stdio: 'ignore' })
      const ended = new Promise(resolve => tracer.on('exit', resolve))
      await sleep(ATTACH_MS)
      const pass = await stage.client.read('open', 1, MILLISECONDS, `${root}/${file}`)
      tracer.kill('SIGINT')
      await ended
      const perRead = totalCalls(readFileSync(output, 'utf8')) / pass.latenciesUsec.length
      report.add({ part: 'syscalls', target: name, file, perRead })
      row.push(figure(perRead))
    }
    rows.push(row)
  }
  report.table('System calls of the server for one open, read and close', rows)
}

/** The column `calls` of the last line, `100.00 0.1 2 345 6 total`. */
function totalCalls(summary: string): number {
  const line = summary.split('\n').find(each => each.trimEnd().endsWith(' total')) ?? ''
  const [, , , calls] = line.trim().split(/\s+/)
  return Number(calls)
}
