/** /sys/devices/system/cpu as programs in a container see it, and what becomes of it while mounts and servers change. */

import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { parseCpuList } from '../../src/cgroup/cpuset.ts'
import { parseMounts } from '../../src/host/mountinfo.ts'
import { type Box, type BoxOptions, started } from '../kit/box.ts'
import { BOUND, MOUNTED } from '../kit/files.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'

const CPU = '/sys/devices/system/cpu'
const host = (file: string) => readFileSync(`${CPU}/${file}`, 'utf8').trim()

const PROGRAMS = ['lscpu', 'lstopo-no-graphics', 'python3', 'getconf', 'nproc']

/** How psutil counts cores: by topology/core_cpus_list of each CPU. */
const LOGICAL = "python3 -c 'import psutil; print(psutil.cpu_count(logical=False))'"

/** How htop counts CPUs, linux/LinuxMachine.c: the directories, less those that are not online. */
const HTOP = `cd ${CPU}; for cpu in cpu[0-9]*; do [ "$(cat $cpu/online 2>/dev/null)" = 0 ] || echo $cpu; done | wc -l`

const countOf = (list: string) => parseCpuList(list).length

const launch = (t: Test, here: Site, id: string, options: BoxOptions = {}) =>
  started(t, here, id, { cpus: '1', hostPrograms: true, ...options })

/** As a shell lists them. */
const CPUS_OF_HOST = readdirSync(CPU)
  .filter(name => /^cpu\d+$/.test(name))
  .sort()
  .join(' ')

const VULNERABILITIES = readdirSync(`${CPU}/vulnerabilities`).sort()

/** What the container's mounts of ours are, by where they are. */
async function ours(box: Box): Promise<string[]> {
  const mounts = parseMounts(readFileSync(`/proc/${await box.pid()}/mountinfo`, 'utf8'))
  return mounts.filter(({ fsType }) => fsType === 'fuse.lxcfs').map(each => each.mountPoint)
}

/** Runs a command of a shell as root with all capabilities, in the container's mounts. */
async function asRoot(box: Box, command: string): Promise<string> {
  const place = `/proc/${await box.pid()}`
  const options = [`--mount=${place}/ns/mnt`, `--root=${place}/root`]
  const { stdout } = await execa('nsenter', [
    ...options,
    'env',
    'PATH=/bin',
    '/bin/busybox',
    'sh',
    '-c',
    command,
  ])
  return stdout
}

/** A service that was just started heals what is registered: nothing is taken off before that. */
async function healed(here: Site): Promise<void> {
  await here.hook({ id: 'x', status: 'creating', pid: process.pid, root: '/nowhere' })
  await sleep(500)
  await retry(() => {
    const healing = here.processes().filter(({ args }) => args.includes('remount'))
    if (healing.length > 0) throw new Error('Cannot go on: the service heals')
  })
}

const cpusIn = (box: Box) => box.sh(`cd ${CPU}; echo cpu[0-9]*`)

/** A shell that stands in a directory, and runs a line after the other. */
function shellIn(box: Box, directory: string) {
  const [program = '', ...args] = box.inside
  const child = execa(program, [...args, 'sh', '-c', `cd ${directory} && exec sh 2>&1`], {
    all: true,
    buffer: false,
    reject: false,
  })
  let said = ''
  child.all?.on('data', (part: Buffer) => {
    said += part
  })
  let turn = 0
  const run = async (line: string): Promise<string> => {
    const mark = `end ${turn++}`
    said = ''
    child.stdin?.write(`${line}\necho ${mark}\n`)
    await retry(() => {
      if (!said.includes(`${mark}\n`)) throw new Error(`Cannot go on: the shell says ${said}`)
    }, 20_000)
    return said.slice(0, said.indexOf(mark)).trimEnd()
  }
  return { run, end: () => child.stdin?.end() }
}

t.test('a container has directories for its own CPUs alone', needs('runc'), async t => {
  const here = site(t)
  const box = await launch(t, here, 'one')
  t.equal(await cpusIn(box), 'cpu0')
  t.equal(await box.sh(`ls -d ${CPU}/cpu[0-9]*`), `${CPU}/cpu0`)
  t.equal(await box.cat(`${CPU}/present`), '0')
  t.equal(await box.cat(`${CPU}/possible`), host('possible'))
  t.equal(await box.cat(`${CPU}/kernel_max`), host('kernel_max'))
  t.equal(await box.cat(`${CPU}/cpu0/topology/core_cpus_list`), '0')
  t.equal(await box.cat(`${CPU}/cpu0/cache/index0/shared_cpu_list`), '0')
  t.equal(await box.cat(`${CPU}/cpu0/cache/index0/size`), host('cpu1/cache/index0/size'))
  t.equal(await box.sh(`readlink ${CPU}/cpu0/node0`), '../../node/node0')
  t.match(await box.sh(`ls ${CPU}/cpu0/node0/`), 'meminfo', 'a link leads into its own /sys')
  t.match(await box.sh(`ls -R ${CPU} 2>&1 | head -3`), CPU)
  t.strictSame((await box.sh(`cd ${CPU}/vulnerabilities; ls`)).split('\n'), VULNERABILITIES)
  const size = host('kernel_max').length + 1
  t.equal(await box.sh(`wc -c < ${CPU}/kernel_max`), String(size))
  t.equal(await box.sh(`tail -c 3 ${CPU}/cpu0/topology/core_id`), '0')

  t.test('the limit changes while somebody stands in a directory', async t => {
    const shell = shellIn(box, `${CPU}/cpu0`)
    t.equal(await shell.run('cat topology/core_id'), '0')
    await box.update('--cpuset-cpus', '0-1')
    t.equal(await cpusIn(box), 'cpu0 cpu1')
    t.equal(await shell.run('cd ../cpu1; cat topology/physical_package_id'), '1')
    t.equal(await shell.run('exec 3< topology/core_id; cat <&3'), '0')
    await box.update('--cpuset-cpus', '0')
    t.equal(await cpusIn(box), 'cpu0')
    t.match(await shell.run('cat topology/core_id'), 'No such file')
    t.match(await shell.run('cat < /proc/self/fd/3; ls'), 'No such file')
    t.match(await shell.run('dd bs=16 <&3'), /No such device|^0\+0/m)
    shell.end()
  })
})

t.test('root of a privileged container cannot take a CPU offline', needs('runc'), async t => {
  const box = await launch(t, site(t), 'privileged')
  const before = host('online')
  // The CPU 1 of the host, which has the file.
  t.match(await box.sh(`ls -l ${CPU}/cpu0/online`), '-r--r--r--')
  const refused = await asRoot(
    box,
    `cd ${CPU}; for word in 0 1; do (echo $word > cpu0/online) 2>&1; echo $?; done; dd if=/dev/zero of=cpu0/online bs=1 count=1 conv=notrunc 2>&1; rm cpu0/online 2>&1; mkdir x 2>&1; chmod 777 cpu0 2>&1; true`,
  )
  t.equal(refused.match(/Permission denied|Read-only file system/g)?.length, 6, refused)
  t.equal(host('online'), before)
  t.equal(await box.cat(`${CPU}/cpu0/online`), '1')
})

t.test('programs count the CPUs of the container', needs('runc', ...PROGRAMS), async t => {
  const here = site(t)
  const one = await launch(t, here, 'one')
  const lscpu = await one.sh('lscpu')
  t.match(lscpu, /^CPU\(s\): +1$/m)
  t.match(lscpu, /^Core\(s\) per socket: +1$/m)
  t.match(lscpu, /^Socket\(s\): +1$/m)
  t.equal(await one.sh(LOGICAL), '1')
  t.match(await one.sh('lstopo-no-graphics --of console'), /Package L#0[\s\S]*PU L#0 \(P#0\)/)
  t.notMatch(await one.sh('lstopo-no-graphics --of console'), 'PU L#1')
  t.equal(await one.sh('nproc --all'), `${countOf(host('possible'))}`, 'possible is the host’s')

  const two = await launch(t, here, 'two', { cpus: '0-1' })
  t.match(await two.sh('lscpu'), /^Core\(s\) per socket: +1$/m)
  t.match(await two.sh('lscpu'), /^Socket\(s\): +2$/m)
  t.equal(await two.sh(LOGICAL), '2')
  t.equal((await two.sh('lstopo-no-graphics --of console')).match(/Package L#/g)?.length, 2)

  const annotations = { 'io.procveil.topology': 'single-socket', 'io.procveil.maskPossible': 'on' }
  const cores = await launch(t, here, 'cores', { cpus: '0-1', annotations })
  t.match(await cores.sh('lscpu'), /^Core\(s\) per socket: +2$/m)
  t.match(await cores.sh('lscpu'), /^Socket\(s\): +1$/m)
  await cores.update('--cpuset-cpus', '1')
  // What glibc from 2.36 on counts by `possible`, it counted by the directories before.
  t.equal(await cores.sh('getconf _NPROCESSORS_CONF; nproc --all'), '1\n1')
  t.equal(await cores.sh(HTOP), '1')
})

t.test('the server is killed while a file is read and a shell is there', needs('runc'), async t => {
  const here = site(t)
  const box = await launch(t, here, 'killed')
  const shell = shellIn(box, `${CPU}/cpu0/topology`)
  const file = `${CPU}/kernel_max`
  const text = host('kernel_max')
  t.equal(await shell.run(`exec 3< ${file}; dd bs=1 count=1 <&3 2>/dev/null; echo`), text[0])
  t.equal(await shell.run('cat core_id'), '0')
  const [server = 0] = [here.find('server')]
  process.kill(server, 'SIGKILL')
  t.equal(await shell.run('cat <&3'), text.slice(1), 'the rest of the same text')
  t.equal(await shell.run('cat core_id physical_package_id; ls | head -1'), '0\n0\ncluster_cpus')
  t.not(here.find('server'), server)
  t.equal(await shell.run('cd ..; ls topology | grep -c .; pwd'), `${countTopology()}\n${CPU}/cpu0`)
  shell.end()
})

const countTopology = () => readdirSync(`${CPU}/cpu0/topology`).length - hidden()
/** Only root may read these. */
const hidden = () => readdirSync(`${CPU}/cpu0/topology`).filter(name => name === 'ppin').length

t.test('umount takes all off, and remount puts it back', needs('runc'), async t => {
  const here = site(t)
  const box = await launch(t, here, 'moved')
  t.strictSame((await ours(box)).sort(), [...MOUNTED].sort())
  t.match(await box.sh('mount'), `lxcfs on ${CPU}/online type fuse.lxcfs`)
  for (let i = 0; i < 2; i++) {
    t.match((await here.toolkit('umount', '-c', 'moved')).stdout, '1 detached')
    t.strictSame(await ours(box), [])
    t.equal(await cpusIn(box), CPUS_OF_HOST)
    t.match((await here.toolkit('remount', '-c', 'moved')).stdout, '1 attached')
    t.match((await here.toolkit('remount', '-c', 'moved')).stdout, '1 attached')
    t.strictSame((await ours(box)).sort(), [...MOUNTED].sort())
    t.equal(await cpusIn(box), 'cpu0')
  }
})

t.test('remount goes on with what is bound, whatever of it is there', needs('runc'), async t => {
  const here = site(t)
  await healed(here)
  const box = await launch(t, here, 'earlier')
  const inside = (command: string) => asRoot(box, command)
  const isBack = async (message: string) => {
    t.match((await here.toolkit('remount', '-c', 'earlier')).stdout, '1 attached', message)
    t.strictSame((await ours(box)).sort(), [...MOUNTED].sort(), message)
    t.equal(await cpusIn(box), 'cpu0', message)
    t.equal(await box.cat(`${CPU}/online`), '0', message)
  }
  await inside(`umount ${CPU}`)
  t.equal(await cpusIn(box), CPUS_OF_HOST)
  t.equal(await box.cat(`${CPU}/online`), '0', 'as a version before has bound it')
  const files = (await ours(box)).length
  t.equal(files, MOUNTED.length - 1)
  const ps = JSON.parse((await here.covered([], 'ps', '--json')).stdout) as { id: string }[]
  t.match(
    ps.find(({ id }) => id === 'earlier'),
    { state: 'partial', bound: files },
  )
  await isBack('only the files')

  await inside(`umount ${CPU} && umount ${CPU}/online && umount ${CPU}/offline`)
  await isBack('some of the files')

  const lower = `mount --bind ${CPU} /tmp && umount ${CPU} && umount ${CPU}/online && mount --move /tmp ${CPU}`
  await inside(lower)
  t.equal(await cpusIn(box), 'cpu0')
  await isBack('the directory, and not all files below it')

  await here.killServers()
  t.match(await box.sh(`ls ${CPU} 2>&1; cat ${CPU}/cpu0/online 2>&1; true`), 'not connected')
  await isBack('what a dead service has left')
  t.match((await here.toolkit('umount', '-c', 'earlier')).stdout, '1 detached')
  t.strictSame(await ours(box), [])
})

t.test('single files alone, where an operator wants it so', needs('runc'), async t => {
  const here = site(t)
  const annotations = { 'io.procveil.cpuDirectories': 'off' }
  const box = await launch(t, here, 'single', { annotations })
  t.equal(await cpusIn(box), CPUS_OF_HOST)
  t.equal(await box.cat(`${CPU}/online`), '0')
  t.strictSame((await ours(box)).sort(), [...BOUND].sort())
  const some = await launch(t, here, 'some', { annotations: { 'io.procveil.files': 'meminfo' } })
  t.strictSame(await ours(some), ['/proc/meminfo'])
})

t.test('a runtime masks what it wants in the directory', needs('runc'), async t => {
  const here = site(t)
  const maskedPaths = [
    ...[`${CPU}/cpu0/thermal_throttle`, `${CPU}/cpu7/thermal_throttle`, `${CPU}/none`],
    ...[`${CPU}/vulnerabilities`, `${CPU}/kernel_max`],
  ]
  const box = await launch(t, here, 'masked', { maskedPaths })
  t.equal(await cpusIn(box), 'cpu0')
  t.equal(await box.sh(`ls ${CPU}/vulnerabilities; cat ${CPU}/kernel_max`), '')
  t.equal(await box.sh(`ls ${CPU}/cpu0/thermal_throttle 2>/dev/null || echo none`), 'none')
  t.equal(await box.cat(`${CPU}/cpu0/topology/core_id`), '0')
})

t.test('what a runtime cannot mask in the directory is masked below it', needs('runc'), async t => {
  const here = site(t)
  const maskedPaths = [
    `${CPU}/cpu1/cache`,
    `${CPU}/cpu1/../cpu0/cache`,
    `${CPU}/cpu9/cache`,
    '/proc/fs',
  ]
  const box = await launch(t, here, 'below', { maskedPaths: [...maskedPaths] })
  t.match(await box.sh(`ls ${CPU}/cpu0`), 'topology')
  t.match((await here.toolkit('umount', '-c', 'below')).stdout, '1 detached')
  t.strictSame(await ours(box), [])
  t.equal(await cpusIn(box), CPUS_OF_HOST)
  t.equal(await box.sh(`ls ${CPU}/cpu1/cache`), '', 'as it would be without us')
  t.match(await asRoot(box, `(echo x > ${CPU}/cpu1/cache/x) 2>&1; true`), 'Read-only file system')
  t.match(await box.sh(`ls ${CPU}/cpu1/topology`), 'core_id')
  t.match((await here.toolkit('remount', '-c', 'below')).stdout, '1 attached')
  t.equal(await cpusIn(box), 'cpu0')
  t.match(await box.sh(`ls ${CPU}/cpu0`), 'topology')
})

t.test('a container without /sys starts', needs('runc'), async t => {
  const box = await launch(t, site(t), 'without', { withoutSys: true })
  t.equal((await ours(box)).filter(path => path.startsWith('/sys')).length, 0)
})
