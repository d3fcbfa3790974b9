/** What a container reads satisfies every reader's rules, and its counts agree between files. */

import t from 'tap'
import { checkCpuCounts, checkFile } from '../../consumers/files.ts'
import { BOUND } from '../../kit/files.ts'
import { needs } from '../../kit/requirements.ts'
import { limited } from './limited.ts'

t.test('readers of each file', needs('runc'), async t => {
  for (const { box, memoryKib, cpus } of await limited(t)) {
    const texts = new Map<string, string>()
    for (const file of BOUND) {
      // `sh` takes the last newline off, and readers want it.
      const text = (await box.sh(`cat ${file}; echo .`)).slice(0, -1)
      const path = file.slice(1)
      texts.set(path, text)
      t.doesNotThrow(() => checkFile(path, text), `${box.id}: ${file}`)
    }
    t.doesNotThrow(() => checkCpuCounts(texts), `${box.id}: CPUs`)
    t.equal(texts.get('proc/cpuinfo')?.match(/^processor\s*:/gm)?.length, cpus)
    t.match(texts.get('proc/meminfo'), new RegExp(`^MemTotal: +${memoryKib} kB$`, 'm'))
  }
})
