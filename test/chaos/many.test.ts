/** The toolkit on many containers at once. */

import { join } from 'node:path'
import t from 'tap'
import { type Box, started } from '../kit/box.ts'
import { readMemTotal } from '../kit/mem-total.ts'
import { needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'
import { size } from '../kit/size.ts'
import { UNHURRIED } from './load.ts'

const CONTAINERS = size({ short: 5, long: 12, full: 200 })

const totalMib = async (box: Box) => Number(await readMemTotal(box)) / 1024

t.test('remount --all and umount --all', { ...needs('runc'), ...UNHURRIED }, async t => {
  const here = site(t)
  const boxes: Box[] = []
  for (let i = 0; i < CONTAINERS; i++) {
    const options = { stages: [], memoryBytes: (64 + i) * 2 ** 20 }
    boxes.push(await started(t, here, `many-${i}`, options))
  }
  const toolkit = async (command: string) => {
    const startMs = performance.now()
    const args = ['--all', '--runtime-root', join(here.directory, 'runc')]
    const { stdout, stderr } = await here.toolkit(command, ...args)
    t.comment(`${command}: ${stdout} in ${Math.round(performance.now() - startMs)} ms`)
    t.equal(stderr, '')
    return stdout
  }
  t.equal(await toolkit('remount'), `${CONTAINERS} attached`)
  for (const [i, box] of boxes.entries()) t.equal(await totalMib(box), 64 + i)
  t.equal(await toolkit('umount'), `${CONTAINERS} detached`)
  for (const box of boxes) t.ok((await totalMib(box)) > 64 + CONTAINERS)
  t.strictSame(here.hostMounts(), [here.mountPoint])
})
