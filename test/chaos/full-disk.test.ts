/** There is no room left in the run directory. */

import { mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { execa, execaSync } from 'execa'
import t, { type Test } from 'tap'
import { started } from '../kit/box.ts'
import { readMemTotal } from '../kit/mem-total.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { signal } from './disturb.ts'
import { UNHURRIED } from './load.ts'

const options = { ...needs('runc'), ...UNHURRIED }

const OWN_KIB = String(2 ** 16)

/** Gives the service a run directory of 1 MiB. */
async function smallRunDirectory(t: Test, here: Site): Promise<void> {
  const { runDirectory } = here
  mkdirSync(runDirectory)
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', runDirectory])
  t.teardown(() => execaSync('umount', ['--lazy', runDirectory], { reject: false }))
}

function fill(here: Site): void {
  for (let bytes = 2 ** 20; bytes >= 1; bytes /= 2) {
    try {
      writeFileSync(`${here.runDirectory}/ballast-${bytes}`, Buffer.alloc(bytes))
    } catch {}
  }
}

/** As a copy that leaves zeros out would restore it. */
function makeHole(file: string): void {
  const { size } = statSync(file)
  rmSync(file)
  writeFileSync(file, '')
  truncateSync(file, size)
}

t.test('a server lives on where what it maps has no room', options, async t => {
  const here = site(t)
  await smallRunDirectory(t, here)
  const box = await started(t, here, 'box', { memoryBytes: 2 ** 26 })
  t.equal(await readMemTotal(box), OWN_KIB)
  for (const name of ['answered', 'rendering']) makeHole(`${here.runDirectory}/${name}`)
  fill(here)
  t.ok(signal(here, 'server', 'SIGKILL'))
  await retry(() => {
    if (!here.readLog().includes('SIGKILL')) throw new Error('Cannot go on: it is not killed')
  })
  for (let i = 0; i < 20; i++) t.equal(await readMemTotal(box), OWN_KIB)
  t.equal(here.readLog().split('is replaced').length - 1, 1, 'no other server has ended')
  t.match(here.readLog(), /ENOSPC/)
})
