/** A container that makes more of something than anybody looks at: nobody else notices, and it sees less itself. */

import { chmodSync } from 'node:fs'
import { execa } from 'execa'
import t from 'tap'
import { box, started } from '../kit/box.ts'
import { needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

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
