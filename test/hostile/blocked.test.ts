/** One container whose root hangs: what is done for all is done for all others. */

import t from 'tap'
import { started } from '../kit/box.ts'
import { HOST_KIB } from '../kit/mem-total.ts'
import { type Attacker, attackIn, ROOT } from './attackers.ts'
import { seenTotal } from './bounded.ts'
import { ends, HOSTILE, type Stage, TWO_TRIALS_MS, trial } from './trial.ts'

/** In a user namespace of the runtime's, and as uid 1000 without capabilities. */
const hang = ({ t, here }: Stage): Promise<Attacker[]> =>
  Promise.all([
    attackIn(t, here, 'hangs', ['hang', '/tmp', '/dev/fuse'], {
      userNamespace: true,
      fuse: true,
      capabilities: ROOT,
    }),
    attackIn(t, here, 'hangs-too', ['hang', '--unshare', '/tmp', '/dev/fuse'], {
      uid: 1000,
      fuse: true,
    }),
  ])

t.setTimeout(TWO_TRIALS_MS)

t.test('umount --all beside roots that hang', HOSTILE, t =>
  trial(t, {
    interrupts: true,
    start: hang,
    meanwhile: async ({ t, here, victim, newcomers }) => {
      const roots = ['--runtime-root', `${here.directory}/runc`]
      await ends(t, 'umount --all', () => here.toolkit('umount', '--all', ...roots))
      for (const box of [victim.box, ...newcomers.staying]) {
        t.equal(await seenTotal(box), HOST_KIB, `it is taken out of ${box.id}`)
      }
      await ends(t, 'remount --all', () => here.toolkit('remount', '--all', ...roots))
      t.equal(await seenTotal(victim.box), victim.totalKib, 'and put back')
    },
  }),
)

t.test('both processes are killed beside roots that hang', HOSTILE, t =>
  trial(t, {
    interrupts: true,
    start: hang,
    meanwhile: async stage => {
      const { t, here, victim, newcomers } = stage
      await here.killServers()
      const next = await ends(t, 'the next container', () =>
        started(t, here, 'next', { memoryBytes: 2 ** 25 }),
      )
      const startMs = performance.now()
      let seen: string[] = []
      do {
        seen = await Promise.all([victim.box, ...newcomers.staying].map(seenTotal))
      } while (seen.some(total => !/^\d+$/.test(total)) && performance.now() - startMs < 10_000)
      const own = [victim.totalKib, ...newcomers.ownTotals()]
      t.strictSame(seen, own, `all others are healed in ${performance.now() - startMs} ms`)
      await next?.remove()
    },
  }),
)
