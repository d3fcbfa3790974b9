/** The same sources give the same packages, wherever they are made. */

import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execaSync } from 'execa'
import t from 'tap'
import { PACKAGERS } from '../../scripts/package/packages.ts'
import { temporary } from '../kit/temporary.ts'
import { needsPackages, PACKAGES, PROJECT } from './built.ts'

t.setTimeout(600_000)

t.test('packages made in another folder have the same bytes', needsPackages(PACKAGERS), async t => {
  const elsewhere = join(temporary(t), 'another folder')
  mkdirSync(elsewhere)
  const { stdout } = execaSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: PROJECT,
  })
  const tops = new Set(stdout.split('\n').map(path => path.split('/')[0] ?? ''))
  for (const name of ['fixtures', '.ci']) tops.delete(name)
  for (const name of tops) {
    cpSync(join(PROJECT, name), join(elsewhere, name), { recursive: true })
  }
  // Not by a symbolic link: a bundler goes by where a module really is.
  const links = ['-a', '--link', join(PROJECT, 'node_modules'), elsewhere]
  if (execaSync('cp', links, { reject: false }).exitCode !== 0) {
    execaSync('cp', ['-a', join(PROJECT, 'node_modules'), elsewhere])
  }
  execaSync('npm', ['run', 'package', '--', '--fast'], { cwd: elsewhere })
  const sums = (directory: string) => readFileSync(join(directory, 'SHA256SUMS'), 'utf8')
  t.equal(sums(join(elsewhere, 'dist/packages')), sums(PACKAGES))
})
