/** Pipes in the place of files that a run time might open by itself while it works inside a container. */

import t from 'tap'
import { size } from '../kit/size.ts'
import { attackIn, ROOT } from './attackers.ts'
import { timed } from './bounded.ts'
import { HOSTILE, trial } from './trial.ts'

const LIMIT_MS = 10_000
const TIMES = size({ short: 20, long: 40 })

t.test('remount of containers whose files are pipes', HOSTILE, t =>
  trial(t, {
    start: ({ t, here }) =>
      Promise.all(
        [false, true].map(userNamespace =>
          attackIn(t, here, `pipes-${userNamespace}`, ['cover', '/tmp'], {
            userNamespace,
            capabilities: ROOT,
            // The kernel lets a user namespace mount sysfs only with a network of its own.
            withoutSys: userNamespace,
          }),
        ),
      ),
    meanwhile: async ({ t, here }) => {
      let done = 0
      let longestMs = 0
      const succeeded = new Set<string>()
      const said = new Set<string>()
      for (let i = 0; i < TIMES; i++) {
        const id = `pipes-${i % 2 === 0}`
        const remount = () => here.procveil(['remount', '-c', id])
        const { tookMs, error, value } = await timed(LIMIT_MS, remount)
        longestMs = Math.max(longestMs, tookMs)
        if (error !== undefined || value?.exitCode === undefined) break
        if (value.exitCode === 0) succeeded.add(id)
        else said.add(value.stderr)
        done++
      }
      t.equal(done, TIMES, `${done} of ${TIMES} came back, the longest in ${longestMs} ms`)
      t.ok(longestMs < LIMIT_MS / 2)
      // Whoever is refused has not been inside.
      t.strictSame([...succeeded].sort(), ['pipes-false', 'pipes-true'], [...said].join('\n'))
    },
  }),
)
