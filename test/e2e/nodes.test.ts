/** /sys/devices/system/node as programs in a container see it, where the host has one node. */

import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { started } from '../kit/box.ts'
import { needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

const NODE = '/sys/devices/system/node'
const MEMORY_KIB = 256 * 1024

const online = existsSync(`${NODE}/online`) ? readFileSync(`${NODE}/online`, 'utf8').trim() : ''
const programs = online === '0' ? needs('runc', 'lscpu', 'numactl') : { skip: `nodes "${online}"` }

t.test('the only node has the CPUs and the memory of all other files', programs, async t => {
  const options = { cpus: '1', memoryBytes: MEMORY_KIB * 1024, hostPrograms: true }
  const box = await started(t, site(t), 'noded', options)
  t.equal(await box.cat(`${NODE}/node0/cpulist`), '0')
  t.match(await box.cat(`${NODE}/node0/cpumap`), /^[0,]*1$/)
  t.equal(await box.sh(`cd ${NODE}/node0; echo cpu[0-9]*; readlink cpu0`), 'cpu0\n../../cpu/cpu0')
  t.equal(await box.cat(`${NODE}/online`), '0')
  t.match(
    await box.cat(`${NODE}/node0/meminfo`),
    new RegExp(`^Node 0 MemTotal: +${MEMORY_KIB} kB$`, 'm'),
  )
  t.match(await box.cat(`${NODE}/node0/vmstat`), /^nr_dirtied 0$/m)
  t.match(await box.sh('lscpu'), /^NUMA node0 CPU\(s\): +0$/m)
  const hardware = await box.sh('numactl --hardware')
  t.match(hardware, /^node 0 cpus: 0$/m, hardware)
  t.match(hardware, /^node 0 size: 256 MB$/m)
  const [, freeMb] = /^node 0 free: (\d+) MB$/m.exec(hardware) ?? []
  t.ok(Number(freeMb) > 200 && Number(freeMb) <= 256, hardware)
})
