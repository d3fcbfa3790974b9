/** podman with procveil-runtime, of which its configuration knows nothing. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'
import t, { type Test } from 'tap'
import { makeRootfs } from '../kit/box.ts'
import { needs } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { writeWrapper } from '../kit/wrapper.ts'

const TOTAL = ['head', '-n', '1', '/proc/meminfo']
const OWN = /^MemTotal: +65536 kB$/
/** A test may not raise the limits of its own, as podman does by default. */
const LIMITS = ['nofile', 'nproc'].map(name => `--ulimit=${name}=1024:1024`)

/** A podman with containers and images of its own. */
function podman(t: Test, here: Site) {
  const at = (name: string) => join(here.directory, name)
  const places = ['--root', at('storage'), '--runroot', at('storage-run')]
  const options = [...places, '--storage-driver=vfs', '--cgroup-manager=cgroupfs']
  const run = async (runtime: string, ...args: string[]) => {
    const all = [...options, `--runtime=${runtime}`, ...args]
    return (await execa('podman', all, { timeout: 60_000, stdin: 'ignore' })).stdout
  }
  mkdirSync(at('image'))
  makeRootfs(at('image'))
  execaSync('tar', ['-C', at('image'), '-cf', at('image.tar'), '.'])
  execaSync('podman', [...options, 'import', at('image.tar'), 'localhost/busybox'])
  t.teardown(() => {
    const ended = ['rm', '--all', '--force', '--time=0']
    execaSync('podman', [...options, ...ended], { reject: false })
  })
  return run
}

t.test('podman --runtime', needs('runc', 'podman', 'tar'), async t => {
  const here = site(t)
  const { executable, options } = here
  const run = podman(t, here)
  const wrapper = writeWrapper(join(here.directory, 'procveil-runtime'), { executable, options })
  const once = (runtime: string, ...command: string[]) =>
    run(
      runtime,
      ...['run', '--rm', '--network=none', '--memory=64m', ...LIMITS, 'localhost/busybox'],
      ...command,
    )
  t.match(await once(wrapper, ...TOTAL), OWN, "the init's first instruction")
  t.notMatch(await once('runc', ...TOTAL), OWN)
  const missing = (runtime: string) => once(runtime, 'missing').catch(error => error)
  const [plain, own] = [await missing('runc'), await missing(wrapper)]
  t.equal(own.exitCode, plain.exitCode)
  for (const { stderr } of [plain, own]) t.match(stderr, /executable file not found/)

  const flags = ['run', '--detach', '--name=one', '--network=none', '--memory=64m', ...LIMITS]
  await run(wrapper, ...flags, 'localhost/busybox', 'sleep', '1000')
  t.match(await run(wrapper, 'exec', 'one', ...TOTAL), OWN, 'podman exec')
  await run(wrapper, 'restart', '--time=0', 'one')
  t.match(await run(wrapper, 'exec', 'one', ...TOTAL), OWN, 'podman restart')
  const text = readFileSync(wrapper, 'utf8')
  writeFileSync(wrapper, text.replace(/^pv_procveil=.*$/m, 'pv_procveil=/gone/procveil'))
  await run(wrapper, 'restart', '--time=0', 'one')
  t.notMatch(await run(wrapper, 'exec', 'one', ...TOTAL), OWN, 'it starts again without procveil')
  await run(wrapper, 'rm', '--force', '--time=0', 'one')
  t.strictSame(here.registered(), [])
})
