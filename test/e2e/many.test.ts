/** Several containers at once, each with its own view. */

import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import t from 'tap'
import { box, started } from '../kit/box.ts'
import { cgroupsOf, withinCgroups } from '../kit/cgroups.ts'
import { needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

const MiB = 2 ** 20

/** An emulated machine starts no 20 hooks in the time that each of them waits for its server. */
const CROWD = Number(process.env.PROCVEIL_TEST_CROWD ?? 20)

t.test('two containers with different limits see their own', needs('runc', 'nsenter'), async t => {
  const here = site(t)
  const small = await started(t, here, 'small', { memoryBytes: 64 * MiB, cpus: '0' })
  const large = await started(t, here, 'large', { memoryBytes: 512 * MiB, cpus: '0-1' })
  t.match(await small.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  t.match(await large.cat('/proc/meminfo'), /^MemTotal: +524288 kB/)
  t.equal(await small.cat('/sys/devices/system/cpu/online'), '0')
  t.equal(await large.cat('/sys/devices/system/cpu/online'), '0-1')

  t.test('whoever reads', async t => {
    for (const [of, total] of [
      [small, 65536],
      [large, 524288],
    ] as const) {
      const seen = await execa('cat', [`/proc/${await of.pid()}/root/proc/meminfo`])
      t.match(seen.stdout, new RegExp(`^MemTotal: +${total} kB`), 'through /proc/PID/root')
      const served = await execa('cat', [`${here.mountPoint}/containers/${of.id}/proc/meminfo`])
      t.match(served.stdout, new RegExp(`^MemTotal: +${total} kB`), 'on the host')
    }
  })

  t.test('the top of the mount shows what the caller is in', async t => {
    const [pid, path] = [await small.pid(), `${here.mountPoint}/proc/meminfo`]
    const firstLine = async (...command: string[]) => {
      const { stdout } = await execa('env', [...command, 'cat', path])
      return stdout.split('\n')[0]
    }
    const [host] = readFileSync('/proc/meminfo', 'utf8').split('\n')
    const enter = ['nsenter', `--target=${pid}`, '--pid']
    const move = withinCgroups(cgroupsOf(pid))
    t.equal(await firstLine(), host, 'a process of the host')
    t.match(await firstLine(...move), /^MemTotal: +65536 kB$/, 'in the cgroups')
    t.match(await firstLine(...move, ...enter), /^MemTotal: +65536 kB$/, 'and the pid namespace')
    t.match(
      await firstLine(...enter),
      /^MemTotal: +65536 kB$/,
      'the namespace alone tells whose it is',
    )
  })

  t.test('nobody else sees that there are containers', async t => {
    const ls = ['ls', `${here.mountPoint}/containers`]
    t.strictSame((await execa('ls', ls.slice(1))).stdout.split('\n').sort(), ['large', 'small'])
    const inPid = ['unshare', '--pid', '--fork', ...ls]
    t.match((await execa('env', inPid, { reject: false })).stderr, 'Permission denied')
    const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...ls]
    t.match((await execa('env', asNobody, { reject: false })).stderr, 'Permission denied')
  })

  t.test('a container that stopped is forgotten', async t => {
    t.strictSame(here.registered().sort(), ['large.json', 'small.json'])
    await large.remove()
    t.strictSame(here.registered(), ['small.json'])
    const gone = await execa('ls', [`${here.mountPoint}/containers/large`], { reject: false })
    t.match(gone.stderr, 'No such file')
    t.match(await small.cat('/proc/meminfo'), /^MemTotal: +65536 kB/, 'the other one goes on')
  })
})

t.test(`${CROWD} containers started at once, with no server running`, needs('runc'), async t => {
  const here = site(t)
  const boxes = Array.from({ length: CROWD }, (_, i) =>
    box(t, here, `crowd${i}`, { memoryBytes: (64 + i) * MiB }),
  )
  await Promise.all(boxes.map(each => each.start()))
  for (const [i, each] of boxes.entries()) {
    t.match(await each.cat('/proc/meminfo'), new RegExp(`^MemTotal: +${(64 + i) * 1024} kB`))
  }
  t.strictSame(here.hostMounts(), [here.mountPoint], 'mounted once')
  t.equal(here.servers().length, 2, 'one keeper and its server')
})
