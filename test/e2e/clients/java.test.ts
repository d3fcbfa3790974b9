/**
 * A Java virtual machine and its OperatingSystemMXBean. With cgroups mounted, as Docker does, it reads limits there.
 * Without, it asks sysinfo(2) and sched_getaffinity(2), and only its CPU load is the container's.
 */

import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { bindMount, type Mount } from '../../kit/runc-config.ts'
import { keepBusy, type Limited, limited, needsFiles, numbersAfter } from './limited.ts'

const COMPILER = '/usr/bin/javac'
/** Longer than the virtual machine takes to start beside other tests. */
const BUSY_SECONDS = 30
const programs = needsFiles({ [COMPILER]: 'openjdk-17-jdk-headless' })

const SOURCE = `
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

public class Seen {
  public static void main(String[] args) throws Exception {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    system.getCpuLoad();
    Thread.sleep(1000);
    System.out.printf("%d %d %f %d%n", system.getTotalMemorySize(), system.getFreeMemorySize(),
        system.getCpuLoad(), system.getAvailableProcessors());
  }
}
`

/** Debian's files of configuration, to which those in /usr/lib/jvm are links. */
const CONFIGURATION: Mount[] = readdirSync('/etc')
  .filter(name => /^java-\d+-openjdk$/.test(name))
  .map(name => bindMount(`/etc/${name}`))

const CGROUPS: Mount = {
  destination: '/sys/fs/cgroup',
  type: 'cgroup',
  source: 'cgroup',
  options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
}

t.test('a Java virtual machine that sees its cgroups', programs, async t => {
  for (const container of await limited(t, [...CONFIGURATION, CGROUPS])) {
    const { box, memoryKib, cpus, sharedKib } = container
    await keepBusy(container, BUSY_SECONDS)
    const { total, free, load, processors } = await run(container)
    t.equal(total, memoryKib * 1024, box.id)
    t.ok(free > 0 && free < (memoryKib - sharedKib) * 1024, `${free} bytes free`)
    t.ok(load > 0.1 && load <= 1, `load ${load}`)
    t.equal(processors, cpus)
  }
})

t.test('a Java virtual machine without cgroups', programs, async t => {
  const [hostKib = 0] = numbersAfter(readFileSync('/proc/meminfo', 'utf8'), 'MemTotal:')
  for (const container of await limited(t, CONFIGURATION)) {
    const { box } = container
    const idle = await run(container)
    t.equal(idle.total, hostKib * 1024, 'sysinfo(2)')
    t.equal(idle.processors, availableParallelism(), 'sched_getaffinity(2)')
    await keepBusy(container, BUSY_SECONDS)
    const busy = await run(container)
    t.ok(busy.load > idle.load + 0.1, `${box.id}: load ${idle.load}, then ${busy.load}`)
    t.ok(busy.load <= 1)
  }
})

async function run({ box }: Limited) {
  const file = join(box.bundle, 'rootfs/tmp/Seen.java')
  if (!existsSync(file)) writeFileSync(file, SOURCE)
  const java = join(realpathSync(COMPILER), '../java')
  const output = await box.sh(`${java} -Xmx64m -XX:TieredStopAtLevel=1 /tmp/Seen.java`)
  const [total = 0, free = 0, load = 0, processors = 0] = output.split(' ').map(Number)
  return { total, free, load, processors }
}
