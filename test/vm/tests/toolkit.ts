/** Containers that were started without our hook, attached and detached while they run. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { needs } from '../../kit/requirements.ts'
import { site } from '../../kit/site.ts'
import { type Container, launch, MiB, RUNTIMES, read } from '../container.ts'

const HOST = readFileSync('/proc/meminfo', 'utf8').split('\n')[0]

const firstLine = async (box: Container) => (await read(box, '/proc/meminfo'))[0]?.split('\n')[0]

for (const runtime of RUNTIMES) {
  const program = runtime.split(' ').at(-1) ?? runtime
  t.test(`attach and detach under ${runtime}`, needs(program), async t => {
    const here = site(t)
    const box = await launch(t, here, runtime, 'unhooked', {
      memoryBytes: 64 * MiB,
      unhooked: true,
    })
    const toolkit = (...args: string[]) => {
      const root = `${program}=${join(here.directory, program)}`
      return here.procveil([...args, '--runtime-root', root])
    }
    t.equal(await firstLine(box), HOST)
    const attached = await toolkit('remount', '--all')
    t.equal(attached.stdout, '1 attached', attached.stderr)
    t.match(await firstLine(box), /^MemTotal: +65536 kB$/)
    const listed = JSON.parse((await toolkit('ps', '--json')).stdout)
    t.match(listed, [{ state: 'ok', runtime: runtime.split(' ')[0] }])
    t.equal((await toolkit('umount', '-c', 'unhooked')).stdout, '1 detached', 'by its name')
    t.equal(await firstLine(box), HOST)
    t.match(JSON.parse((await toolkit('ps', '--json')).stdout), [{ state: 'host' }])
  })
}
