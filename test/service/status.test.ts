import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { findKeeper, removeStatus, writeStatus } from '../../src/service/status.ts'
import { machine } from '../machines/machine.ts'

/** Field 22 is the 20th after the command's name. */
const stat = (state: string, ticks: number) =>
  `7 (procveil) ${state} 1 ${'0 '.repeat(17)}${ticks} 0\n`

t.test('a keeper is known for as long as its process runs', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'procveil-status-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const host = machine(t, { 'proc/7/stat': stat('S', 50) })
  t.equal(findKeeper(host, directory), undefined, 'before there was one')
  const status = { pid: 7, startTicks: 50, version: '1', executable: '/x', sinceMs: 1 }
  writeStatus(directory, status)
  t.strictSame(findKeeper(host, directory), status)
  host.set({ 'proc/7/stat': stat('Z', 50) })
  t.equal(findKeeper(host, directory), undefined, 'killed, and nobody has asked how')
  host.set({ 'proc/7/stat': stat('S', 51) })
  t.equal(findKeeper(host, directory), undefined, 'its pid is used again')
  for (const text of ['', '{}', '{"pid":8}', 'null']) {
    writeFileSync(join(directory, 'service.json'), text)
    t.equal(findKeeper(host, directory), undefined, text)
  }
  removeStatus(directory)
  t.equal(findKeeper(host, directory), undefined)
})
