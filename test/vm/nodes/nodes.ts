/** /sys/devices/system/node on a machine with two nodes: a container on one of them, and one that may use both. */

import { existsSync, readFileSync } from 'node:fs'
import { execaSync } from 'execa'
import t from 'tap'
import { type Box, started } from '../../kit/box.ts'
import { bindMount } from '../../kit/runc-config.ts'
import { site } from '../../kit/site.ts'

const NODE = '/sys/devices/system/node'
const MEMORY_MIB = 256
const MiB = 2 ** 20
/** From the machine that the guest runs on, where that has it. */
const JAVA = '/share/java'

t.setTimeout(0)

const host = (file: string) => readFileSync(`${NODE}/${file}`, 'utf8').trim()
const here = site(t)
const hasJava = existsSync(JAVA)
const SHARED_MEMORY = {
  destination: '/dev/shm',
  type: 'tmpfs',
  source: 'shm',
  options: ['size=64m'],
}
const mounts = [SHARED_MEMORY, ...(hasJava ? [bindMount(JAVA, '/java')] : [])]
const options = { memoryBytes: MEMORY_MIB * MiB, hostPrograms: true, mounts }

t.test('a container that may use both nodes has those of the host', async t => {
  t.equal(host('online'), '0-1')
  const box = await started(t, here, 'both', options)
  t.equal(await namesIn(box), 'node0 node1')
  for (const file of ['online', 'node0/cpulist', 'node1/cpulist', 'node1/distance']) {
    t.equal(await box.cat(`${NODE}/${file}`), host(file), file)
  }
  t.equal(
    await box.sh('numactl --cpunodebind=1 grep Cpus_allowed_list /proc/self/status'),
    'Cpus_allowed_list:\t2-3',
  )
  if (hasJava) t.match(await numaOfJava(box), 'UseNUMA is enabled')
})

t.test('a container on the second node', async t => {
  const box = await started(t, here, 'second', options)
  await box.update('--cpuset-cpus', '2-3', '--cpuset-mems', '1')
  t.equal(await namesIn(box), 'node1')
  t.equal(await box.cat(`${NODE}/online`), '1')
  t.equal(await box.cat(`${NODE}/has_cpu`), '1')
  t.equal(await box.cat(`${NODE}/possible`), host('possible'))
  t.equal(await box.cat(`${NODE}/node1/cpulist`), '0-1')
  t.equal(await box.cat(`${NODE}/node1/distance`), host('node1/distance').split(' ').at(-1))
  t.equal(
    await box.sh(`cd ${NODE}/node1; echo cpu[0-9]*; readlink cpu1`),
    'cpu0 cpu1\n../../cpu/cpu1',
  )

  const hardware = await box.sh('numactl --hardware')
  t.match(hardware, /^available: 1 nodes \(1\)$/m)
  t.match(hardware, /^node 1 cpus: 0 1$/m)
  t.match(hardware, new RegExp(`^node 1 size: ${MEMORY_MIB} MB$`, 'm'))
  t.ok(Math.abs(freeMib(hardware) - (await freeOf(box))) <= 2, hardware)

  const lscpu = await box.sh('LC_ALL=C lscpu')
  t.match(lscpu, /^NUMA node\(s\): +1$/m)
  t.match(lscpu, /^NUMA node1 CPU\(s\): +0,1$/m)
  t.match(await box.sh('lstopo-no-graphics --of console'), /NUMANode L#0 \(P#1 256MB\)/)
  t.match(await box.sh('numactl --membind=1 echo bound'), 'bound', 'nodes have their real numbers')
  if (hasJava) t.notMatch(await numaOfJava(box), 'UseNUMA is enabled')
})

t.test('what a container has on its node is told there', async t => {
  const box = await started(t, here, 'counted', options)
  await box.update('--cpuset-mems', '1')
  await box.sh('dd if=/dev/zero of=/dev/shm/filled bs=1M count=32')
  const shmem = /^Node 1 Shmem: +(\d+) kB$/m.exec(await box.cat(`${NODE}/node1/meminfo`))?.[1]
  t.ok(Number(shmem) >= 32 * 1024, `${shmem} kB`)
})

const namesIn = (box: Box) => box.sh(`cd ${NODE}; echo node[0-9]*`)

const freeMib = (hardware: string) => Number(/^node 1 free: (\d+) MB$/m.exec(hardware)?.[1])

async function freeOf(box: Box): Promise<number> {
  return Number(/^MemFree: +(\d+) kB$/m.exec(await box.cat('/proc/meminfo'))?.[1]) / 1024
}

/** What a JVM says of nodes as it starts, and the version that it ends with. */
const numaOfJava = (box: Box) =>
  box.sh('/java/bin/java -XX:+UseNUMA -XX:+UseParallelGC -Xmx64m -Xlog:gc*,os* -version 2>&1')

t.test('the machine is one with two nodes', async t => {
  t.match(execaSync('numactl', ['--hardware']).stdout, 'available: 2 nodes (0-1)')
})
