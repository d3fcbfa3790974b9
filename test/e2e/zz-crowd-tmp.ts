import { spawn } from 'node:child_process'
import t from 'tap'
import { box } from './box.ts'
import { site } from './site.ts'
for (let n = 0; n < 6; n++) t.test('crowd ' + n, async (t: any) => {
  const here = site(t)
  const busy = Array.from({ length: 3 }, () => spawn('timeout', ['60', 'sh', '-c', 'while :; do :; done']))
  t.teardown(() => { for (const b of busy) b.kill('SIGTERM') })
  const boxes = Array.from({ length: 20 }, (_, i) => box(t, here, `crowdz${i}`, { memoryBytes: (64 + i) * 2**20 }))
  const s = Date.now()
  await Promise.all(boxes.map(each => each.start()))
  t.comment('started in', Date.now() - s)
  let bad = 0
  for (const [i, each] of boxes.entries()) if (!(await each.cat('/proc/meminfo')).includes(`${(64 + i) * 1024} kB`)) { bad++; t.comment('bad', i, await each.sh('mount | grep -c lxcfs || true'), here.registered().includes(`crowdz${i}.json`)); t.comment(here.readLog().split('\n').filter((l: string) => l.includes(`crowdz${i} `) || l.includes(`crowdz${i};`)).join('\n')) }
  t.equal(bad, 0)
  t.comment(here.readLog().split('\n').map((l:string)=>l.slice(0,400)).filter((l: string) => /error|serves/.test(l)).join('\n'))
})
