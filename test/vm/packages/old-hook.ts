/** A container whose stored configuration names the hook of isulad-lxcfs-toolkit or lxcfs-tools. */

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { lookThrice, OWN, rpm, run } from './machine.ts'

/** As iSulad writes down what the old package's hookspec.json said. */
const oldHook = (directory: string) => ({
  path: `${directory}/lxcfs-hook`,
  args: ['lxcfs-hook', '--log', '/var/log/lxcfs-hook.log'],
  env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
  timeout: 60,
})

export function startWithOldHooks(t: Test, version: string): void {
  rpm.install(version, 'procveil', 'procveil-isulad')
  for (const directory of ['/var/lib/isulad/hooks', '/var/lib/lcrd/hooks']) {
    const bundle = mkdtempSync(join(tmpdir(), 'old-hook-'))
    run('runc', 'spec', '--bundle', bundle)
    const file = join(bundle, 'config.json')
    const config = JSON.parse(readFileSync(file, 'utf8'))
    config.root = { path: '/usr/share/vm/busybox', readonly: true }
    config.process.terminal = false
    config.process.args = ['grep', 'MemTotal', '/proc/meminfo']
    config.linux.resources.memory = { limit: 64 * 2 ** 20 }
    const hook = oldHook(directory)
    config.hooks = { prestart: [hook], poststop: [hook] }
    writeFileSync(file, JSON.stringify(config))
    const seen = lookThrice(() => run('runc', 'run', '--bundle', bundle, 'old-hook'))
    t.equal(seen.at(-1), OWN, `${directory}: ${seen.join(', ')}`)
  }
  t.equal(run('systemctl', 'is-active', 'lxcfs.service'), 'active', 'the service has its old name')
  rpm.erase()
}
