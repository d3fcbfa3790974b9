/** What a container sees can be shown from outside, and captured for elsewhere. */

import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { started } from '../kit/box.ts'
import { needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

const MiB = 2 ** 20
const STEADY = ['meminfo', 'cpuinfo', 'partitions', 'swaps', 'online', 'offline', 'possible']

t.test('show and capture', needs('runc'), async t => {
  const here = site(t)
  const box = await started(t, here, 'shown', {
    memoryBytes: 96 * MiB,
    cpus: '1',
    annotations: { 'io.procveil.uptime': 'host' },
  })

  t.test('a file as the container sees it', async t => {
    const { stdout } = await here.procveil(['show', 'meminfo', '-c', 'shown'])
    t.match(stdout, /^MemTotal: +98304 kB$/m)
    for (const name of ['cpuinfo', 'partitions', 'swaps']) {
      const shown = await here.procveil(['show', `/proc/${name}`, '--container-id', 'sho'])
      t.equal(shown.stdout.trimEnd(), (await box.cat(`/proc/${name}`)).trimEnd(), name)
    }
    const { stdout: all } = await here.procveil(['show', '--all-files', '-c', 'shown'])
    t.match(all, /^==> proc\/cpuinfo <==\n/)
    t.match(all, /^==> sys\/devices\/system\/cpu\/online <==\n0\n/m)
  })

  t.test('what cannot be shown is said', async t => {
    const fail = async (...args: string[]) => {
      const { exitCode, stderr } = await here.procveil(['show', ...args])
      t.equal(exitCode, 1, args.join(' '))
      return stderr
    }
    t.match(await fail('meminfo'), /Cannot choose a container: give --container-id/)
    t.match(
      await fail('meminfo', '-c', 'other'),
      /Cannot show container "other": there are .*\bshown\b/,
    )
    t.match(await fail('version', '-c', 'shown'), /"version" is none of ours; give --all-files or/)
    t.match(await fail('-c', 'shown'), /no file was named/)
    t.match(await fail('stat', '--from', '/nowhere'), /Cannot find a captured machine in \/nowhere/)
  })

  t.test('a container that no hook has seen', async t => {
    const { id } = await started(t, here, 'unhooked', { memoryBytes: 64 * MiB, stages: [] })
    const root = ['--runtime-root', join(here.directory, 'runc')]
    const { stdout, stderr } = await here.procveil(['show', 'meminfo', '-c', id, ...root])
    t.match(stdout, /^MemTotal: +65536 kB$/m, stderr)
    const folder = join(here.directory, 'unhooked')
    const captured = await here.procveil(['capture', '-c', id, '-o', folder, ...root])
    t.equal(captured.exitCode, 0, captured.stderr)
    t.match(
      readFileSync(join(folder, `containers/${id}/expect/proc/meminfo`), 'utf8'),
      stdout.split('\n')[0],
    )
    t.notOk(here.registered().includes(`${id}.json`), 'to look at it does not register it')
  })

  t.test('a registration whose process has ended hides no container that runs', async t => {
    const options = { quotaUsec: 100_000 }
    const annotations = { 'io.procveil.cpuQuota': 'off' }
    const box = await started(t, here, 'again', { ...options, annotations })
    const file = join(here.runDirectory, 'containers/again.json')
    const registration = readFileSync(file)
    await box.remove()
    writeFileSync(file, registration)
    await started(t, here, 'again', { ...options, stages: [] })
    const root = ['--runtime-root', join(here.directory, 'runc')]
    const { stdout, stderr } = await here.procveil(['show', 'online', '-c', 'again', ...root])
    t.equal(stdout, '0', `without the option of the one that ended; ${stderr}`)
    rmSync(file)
  })

  t.test('a captured machine shows the same elsewhere', async t => {
    const folder = join(here.directory, 'captured')
    const { stdout, exitCode } = await here.procveil(['capture', '-c', 'shown', '-o', folder])
    t.equal(exitCode, 0)
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
    t.strictSame(stdout.split('\n').sort(), files.sort(), 'it lists what it saved')
    t.notOk(files.some(file => /environ|cmdline/.test(file)))
    t.notMatch(readFileSync(join(folder, 'proc/self/mountinfo'), 'utf8'), /ext4|overlay/)
    const own = join(folder, 'containers/shown/expect')
    for (const path of files.filter(file => file.includes('/expect/'))) {
      const name = path.slice('containers/shown/expect/'.length)
      const { stdout: shown } = await here.procveil(['show', name, '--from', folder])
      t.equal(`${shown}\n`, readFileSync(join(own, name), 'utf8'), name)
    }
    for (const name of STEADY)
      t.ok(
        files.some(file => file.endsWith(`expect/proc/${name}`) || file.endsWith(`/cpu/${name}`)),
        name,
      )
    const slabinfo = files.filter(file => file.endsWith('proc/slabinfo'))
    t.equal(slabinfo.length > 0, existsSync('/proc/slabinfo'), 'it has what the kernel has')
    for (const file of [...slabinfo, 'containers/shown/container.json']) {
      t.equal(statSync(join(folder, file)).mode & 0o077, 0, `${file} is root's alone`)
    }
    const capture = (output: string) => here.procveil(['capture', '-c', 'shown', '-o', output])
    t.match((await capture(folder)).stderr, /is not empty; name another folder/)
    const users = join(here.directory, 'users')
    mkdirSync(users)
    symlinkSync(here.directory, join(users, 'README.md'))
    chownSync(users, 1000, 1000)
    t.match((await capture(users)).stderr, /users other than you may change it \(its owner is 1000/)
    symlinkSync(folder, join(here.directory, 'link'))
    t.match((await capture(join(here.directory, 'link/'))).stderr, /a folder, and no link to one/)
  })

  t.test('an annotation chooses for this container', async t => {
    const [uptime] = (await box.cat('/proc/uptime')).split(' ')
    const [host] = readFileSync('/proc/uptime', 'utf8').split(' ')
    t.ok(Math.abs(Number(uptime) - Number(host)) < 5, `${uptime} is the host's ${host}`)
  })
})

t.test('an annotation that cannot be used is told, and the view stays', needs('runc'), async t => {
  const here = site(t)
  const box = await started(t, here, 'odd', {
    memoryBytes: 96 * MiB,
    annotations: { 'io.procveil.swap': 'maybe', 'io.procveil.cgroup': '/other' },
  })
  t.match(await box.cat('/proc/meminfo'), /^MemTotal: +98304 kB$/m)
  t.match(here.readLog(), /swap "maybe" in annotation io.procveil.swap: it must be on or off/)
  t.match(here.readLog(), /cgroup "\/other" for odd: it must be the container's own or above it/)
})

t.test('a configuration that cannot be used is told at once', needs('runc'), async t => {
  const here = site(t)
  const config = join(here.directory, 'missing.json')
  const { exitCode, stderr } = await here.procveil(['--config', config, 'serve'])
  t.equal(exitCode, 1)
  t.match(stderr, `Cannot read the configuration ${config}`)
})
