/** A container that makes more of something than anybody looks at: nobody else notices, and it sees less itself. */

import { chmodSync, existsSync } from 'node:fs'
import { execa, execaSync } from 'execa'
import t from 'tap'
import { box, started } from '../kit/box.ts'
import { memoryCgroupOf } from '../kit/cgroups.ts'
import { HOST_KIB } from '../kit/mem-total.ts'
import { needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

const MiB = 2 ** 20

/** Each of these mounts has 16 KB in mountinfo, where a blank is four characters. */
const MANY_MOUNTS = `
  blanks=$(printf '%4000s')
  for i in $(seq 300); do mount -t tmpfs "$blanks" /tmp || exit 1; done`

t.test('hundreds of mounts with long sources', needs('runc', 'nsenter'), async t => {
  const here = site(t)
  chmodSync(here.directory, 0o755)
  const many = box(t, here, 'mounts', { userNamespace: true, withoutSys: true })
  chmodSync(many.bundle, 0o755)
  await many.start()
  const victim = await started(t, here, 'victim')
  const pid = await many.pid()
  const enter = [`--target=${pid}`, '--user', '--mount', '/bin/busybox', 'sh', '-c', MANY_MOUNTS]
  await execa('nsenter', enter)
  const { length } = (await execa('cat', [`/proc/${pid}/mountinfo`])).stdout
  t.ok(length > 4e6, `mountinfo has ${length} bytes`)

  const { stdout } = await here.procveil(['ps', '--json'])
  const states = JSON.parse(stdout).map(({ id, state }: Record<string, string>) => [id, state])
  t.equal(new Map(states).get('mounts'), 'unknown')
  t.equal(new Map(states).get('victim'), 'ok')
  t.match((await here.procveil(['doctor'])).stdout, /1 have too many mounts to tell.*: mounts$/m)

  const refused = await here.procveil(['remount', '-c', 'mounts'])
  t.equal(refused.exitCode, 1)
  t.match(
    refused.stdout + refused.stderr,
    /Cannot bind into mounts: process \d+ has too many mounts: Cannot read .* more than \d+ bytes/,
  )
  t.equal((await here.procveil(['remount', '-c', 'victim'])).exitCode, 0)
  const readMs = await Promise.all(
    [many, victim].map(async each => {
      const startMs = performance.now()
      t.match(await each.sh('cat /proc/diskstats /proc/uptime'), /^\d+\.\d\d \d+\.\d\d$/m)
      return performance.now() - startMs
    }),
  )
  t.ok(Math.max(...readMs) < 2000, `they read within ${readMs} ms`)
})

t.test("a file at which the server hangs is the host's for a while", needs('runc'), async t => {
  const here = site(t)
  const victim = await started(t, here, 'beside', { memoryBytes: 64 * MiB })
  const poison = await started(t, here, 'poison', { memoryBytes: 64 * MiB })
  // Whoever opens a pipe waits for somebody to write. A cgroup has none, so one lies on each of these files.
  const pipe = `${here.directory}/pipe`
  execaSync('mkfifo', [pipe])
  const own = memoryCgroupOf(await poison.pid())
  const files = ['memory.limit_in_bytes', 'memory.max', 'memory.stat'].filter(name =>
    existsSync(`${own}/${name}`),
  )
  for (const name of files) execaSync('mount', ['--bind', pipe, `${own}/${name}`])
  t.teardown(() => {
    for (const name of files) execaSync('umount', ['-l', `${own}/${name}`])
  })

  const server = here.find('server')
  const startMs = performance.now()
  t.match(await poison.cat('/proc/meminfo'), new RegExp(`^MemTotal: +${HOST_KIB} kB`), "the host's")
  const tookMs = performance.now() - startMs
  t.ok(tookMs < 5000, `it waited for one server, ${tookMs} ms`)
  const next = here.find('server')
  t.not(next, server, 'which was replaced')
  t.match(
    here.readLog(),
    /the server before failed at proc\/meminfo of poison, which sees the host's/,
  )

  t.match(await poison.cat('/proc/meminfo'), /^MemTotal/)
  t.match(await victim.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  await here.killServers([next ?? 0])
  t.match(await poison.cat('/proc/meminfo'), /^MemTotal/, 'a server that was killed passes it on')
  t.equal(here.readLog().match(/does not answer/g)?.length, 1, 'one hang, and no more')
})
