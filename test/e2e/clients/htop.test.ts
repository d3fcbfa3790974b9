/** htop, on a terminal that `script` makes. */

import t from 'tap'
import { limited, needsFiles } from './limited.ts'

const programs = needsFiles({ '/usr/bin/htop': 'htop', '/usr/bin/script': 'bsdutils' })

t.test('htop in two containers', programs, async t => {
  for (const { box, memoryKib, cpus } of await limited(t)) {
    // An uptime below 1 s is none to it.
    await box.sh('sleep 1')
    const run = 'stty rows 50 cols 160; exec htop --no-color --delay=5'
    const screen = await box.sh(`(sleep 2; printf q) | script -qec '${run}' /dev/null`)
    const text = withoutEscapes(screen)
    const [, used = '', total] = /Mem\[\D*([\d.]+[KMG])\/([\d.]+[KMG])/.exec(text) ?? []
    t.equal(total, `${memoryKib / 1024}M`, `${box.id}: ${used} used`)
    // A difference below 0 would show as 16.0E.
    t.ok(inMib(used) > 0 && inMib(used) < memoryKib / 1024, `${used} used`)
    t.match(text, /Swp\[\D*[\d.]+[KMG]\/[\d.]+[KMG]/)
    t.match(text, /Load average: *\d+\.\d\d +\d+\.\d\d +\d+\.\d\d/)
    t.match(text, /Uptime: *00:0[01]:\d\d/)
    // Its bars count the directories cpuN of sysfs: one alone has no number.
    const bars = [...text.matchAll(/(CPU|\d) *\[\D*\d+\.\d%/g)].map(([, name]) => name)
    t.strictSame([...new Set(bars)], cpus === 1 ? ['CPU'] : [...Array(cpus).keys()].map(String))
  }
})

/** Terminal control sequences, ECMA-48. */
function withoutEscapes(screen: string): string {
  const esc = String.fromCharCode(0x1b)
  return screen
    .replaceAll(new RegExp(`${esc}\\[[0-9;?]*[A-Za-z]`, 'g'), '')
    .replaceAll(new RegExp(`${esc}[()=>][A-Z0-9]?`, 'g'), '')
}

const KIB = { K: 1 / 1024, M: 1, G: 1024 } as const

function inMib(amount: string): number {
  return Number.parseFloat(amount) * KIB[amount.slice(-1) as keyof typeof KIB]
}
