/** What runs in the guest: each test file given as argument in a process of its own, and then a look at what they left. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { execaSync } from 'execa'
import t from 'tap'
import { retry } from '../kit/requirements.ts'
import { IMAGE } from './podman.ts'

/** Of each file, as of each test. */
const FILE_TIMEOUT_MS = Number(process.env.TAP_TIMEOUT) * 1000
const files = process.argv.slice(2)
/** In a machine with cgroup v1 podman's containers are of no kernel's concern, but of systemd's. */
const isV2 = existsSync('/sys/fs/cgroup/cgroup.controllers')
const podman = isV2 || existsSync('/run/systemd/system')

if (podman) execaSync('podman', ['import', '--quiet', '/usr/share/vm/busybox.tar', IMAGE])
const before = look()
// The limit is that of each file, and that of the whole guest.
t.setTimeout(0)
for (const file of files) {
  // tap's own loader, which it adds to Node's options, is not here: there is nothing to compile.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, file]
  await t.spawn('env', command, { timeout: FILE_TIMEOUT_MS }, file.replace(/\.js$/, ''))
}

await t.test('nothing is left on the host', async t => {
  await retry(() => {
    const { processes } = look()
    if (processes.length > 0) throw new Error(`Cannot go on: ${processes.join(', ')} is left`)
  })
  t.strictSame(look(), before)
  if (podman) t.equal(execaSync('podman', ['ps', '--all', '--quiet']).stdout, '')
})

interface Traces {
  mounts: string[]
  cgroups: string[]
  folders: string[]
  processes: string[]
}

/**
 * What a test may forget to take away. podman keeps a mount and a cgroup of its own for all its containers, and systemd
 * makes slices and scopes.
 */
function look(): Traces {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter(line => line.includes('lxcfs') || line.includes('/tmp/'))
  const cgroups = isV2
    ? directories('/sys/fs/cgroup').filter(name => !/^libpod|\.(slice|scope)$/.test(name))
    : []
  const folders = readdirSync('/tmp').filter(name => name.startsWith('procveil-'))
  const processes = readdirSync('/proc').filter(isOurs)
  return { mounts, cgroups, folders, processes }
}

function isOurs(name: string): boolean {
  try {
    return /^\d+$/.test(name) && readFileSync(`/proc/${name}/comm`, 'utf8').startsWith('procveil')
  } catch {
    return false
  }
}

function directories(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .sort()
}
