/** The mount is taken down by force: by an operator, and by a container that has the right to. */

import { execa } from 'execa'
import t from 'tap'
import { FILE_PATHS } from '../../src/proc/paths.ts'
import { type Box, started } from '../kit/box.ts'
import { retry } from '../kit/requirements.ts'
import { timed } from './bounded.ts'
import { ends, HOSTILE, NOISE, type Stage, trial } from './trial.ts'

const HEALED_MS = 2000
const LIMIT_MS = 10_000

async function isHealed({ t, victim, calmStartMs }: Stage, what: string): Promise<void> {
  const read = () => execa('cat', [`/proc/${pid}/root/proc/meminfo`], { timeout: 1000 })
  const pid = await victim.box.pid()
  const { tookMs, error } = await timed(LIMIT_MS, () =>
    retry(async () => {
      const { stdout } = await read()
      if (!stdout.includes(`${victim.totalKib} kB`)) throw new Error('Cannot go on: not its own')
    }, LIMIT_MS),
  )
  const limitMs = Math.max(HEALED_MS, NOISE * calmStartMs)
  t.ok(error === undefined && tookMs < limitMs, `${what}: healed in ${tookMs} ms ${error ?? ''}`)
}

t.test('umount -f', HOSTILE, t => {
  let privileged: Box | undefined
  return trial(t, {
    interrupts: true,
    start: async ({ t, here }) => {
      privileged = await started(t, here, 'privileged', { capabilities: ['CAP_SYS_ADMIN'] })
      return [{ box: privileged, pid: await privileged.pid(), end: () => {} }]
    },
    meanwhile: async stage => {
      const { t, here } = stage
      const files = FILE_PATHS.map(path => `/${path}`).join(' ')
      const force = `for file in ${files}; do umount -f $file; done 2>/dev/null; true`
      await ends(t, 'umount -f of its files', async () => privileged?.sh(force))
      await isHealed(stage, 'after a container with CAP_SYS_ADMIN')
      for (const options of [['-f'], ['-l'], ['-f', '-l']]) {
        const name = `umount ${options.join(' ')}`
        const unmount = () => execa('umount', [...options, here.mountPoint], { reject: false })
        await ends(t, name, unmount)
        await isHealed(stage, name)
      }
      t.equal(here.servers().length, 2, 'one keeper and its server')
    },
  })
})
