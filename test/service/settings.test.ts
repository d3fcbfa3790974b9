import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DEFAULT_SETTINGS } from '../../src/service/default-settings.ts'
import { makeRunDirectory } from '../../src/service/settings.ts'

const NEEDS_ROOT = { skip: process.geteuid?.() === 0 ? false : 'only root can give files away' }

t.test('a run directory that others may change is refused', NEEDS_ROOT, async t => {
  const directory = mkdtempSync(join(tmpdir(), 'procveil-settings-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const runDirectory = join(directory, 'a/run')
  const make = (path = runDirectory) =>
    makeRunDirectory({ ...DEFAULT_SETTINGS, runDirectory: path })
  make()
  t.equal(statSync(runDirectory).mode & 0o777, 0o700)
  chmodSync(runDirectory, 0o755)
  make()
  for (const mode of [0o775, 0o757, 0o1777]) {
    chmodSync(runDirectory, mode)
    t.throws(
      () => make(),
      /its mode 1?7[57]7?[57]? lets others write there; remove it, or chmod 700/,
    )
  }
  chmodSync(runDirectory, 0o700)
  chownSync(runDirectory, 1000, 0)
  t.throws(() => make(), /it belongs to user 1000; remove it, or chown root/)
  chownSync(runDirectory, 0, 0)
  const link = join(directory, 'link')
  symlinkSync(runDirectory, link)
  make(link)
  lchownSync(link, 1000, 1000)
  t.throws(() => make(link), /it belongs to user 1000/, 'a link of a user')
})
