/** Every way of reading a file gives what procfs would give: proc(5), fs/seq_file.c. */

import { closeSync, constants, openSync, readSync } from 'node:fs'
import t, { type Test } from 'tap'
import { type Box, started } from '../kit/box.ts'
import { BOUND } from '../kit/files.ts'
import { needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

const MiB = 2 ** 20
const SECRET = '/proc/slabinfo'

/** What only a change of the container or the machine changes. */
const STEADY = BOUND.filter(path => /cpuinfo|partitions|swaps|slabinfo|online|offline/.test(path))

t.test('a container that reads its files', needs('runc'), async t => {
  const box = await started(t, site(t), 'reading', {
    memoryBytes: 256 * MiB,
    cpus: '0',
    hostPrograms: true,
  })
  const root = `/proc/${await box.pid()}/root`

  t.test('stat shows no size, and who may read', async t => {
    const files = BOUND.join(' ')
    const expected = BOUND.map(file => `${file} 0 ${file === SECRET ? '400' : '444'}`)
    const stat = `stat -c '%n %s %a' ${files}`
    t.strictSame((await box.sh(stat)).split('\n'), expected)
    await box.sh(`cat ${files} >/dev/null; tail -n 1 ${files} >/dev/null`)
    t.strictSame((await box.sh(`busybox ${stat}`)).split('\n'), expected, 'once they were read')
  })

  t.test('every program gets the same text', async t => {
    t.equal(STEADY.length, 6)
    for (const file of STEADY) {
      const [text = ''] = await outputs(box, [`cat ${file}`])
      const { length } = text
      t.ok(text.endsWith('\n'), `${file} ends with a line`)
      const parts: Readonly<Record<string, string>> = {
        [`busybox cat ${file}`]: text,
        [`dd if=${file} bs=1 2>/dev/null`]: text,
        [`dd if=${file} bs=7 2>/dev/null`]: text,
        [`head -c ${length} ${file}`]: text,
        [`head -c 9 ${file}`]: text.slice(0, 9),
        [`head -c -1 ${file}`]: text.slice(0, -1),
        [`tail -c +1 ${file}`]: text,
        [`tail -c 5 ${file}`]: text.slice(-5),
        [`tail -n 1 ${file}`]: lastLine(text),
        [`busybox tail -n 1 ${file}`]: lastLine(text),
        [`dd if=${file} bs=1 skip=1 2>/dev/null`]: text.slice(1),
        [`tac ${file} | tac`]: text,
        [`wc -c < ${file}`]: `${length}\n`,
        [`busybox wc -c < ${file}`]: `${length}\n`,
        [`cp ${file} /tmp/copy && cat /tmp/copy && rm -f /tmp/copy`]: text,
        [`busybox cp ${file} /tmp/copy && cat /tmp/copy && rm -f /tmp/copy`]: text,
      }
      const commands = Object.keys(parts)
      for (const [i, output] of (await outputs(box, commands)).entries()) {
        const command = commands[i] ?? ''
        t.equal(withoutClock(output), withoutClock(parts[command] ?? ''), command)
      }
    }
  })

  t.test('a file that changes has the same form byte by byte', async t => {
    const whole = await outputs(
      box,
      BOUND.map(file => `cat ${file}`),
    )
    const parts = await outputs(
      box,
      BOUND.map(file => `dd if=${file} bs=1 2>/dev/null`),
    )
    for (const [i, file] of BOUND.entries()) {
      t.match(whole[i], /\n$/)
      t.equal(formOf(parts[i]), formOf(whole[i]), file)
    }
  })

  t.test('one descriptor shows one moment until it is read at 0 again', async t => {
    for (const file of BOUND) {
      const fd = opened(t, root + file)
      const bytes = readByteByByte(fd)
      t.ok(bytes.length > 0, `${file} has ${bytes.length} bytes`)
      t.equal(readAt(fd, 1), bytes.slice(1), 'all but the first byte at once')
      t.equal(readAt(fd, bytes.length - 1), '\n')
      for (const beyond of [0, 1, 100, 2 ** 40]) {
        t.equal(readAt(fd, bytes.length + beyond), '', `nothing ${beyond} bytes after the end`)
      }
      t.equal(readAt(fd), '', 'nor where the descriptor stands')
      t.equal(formOf(readAt(fd, 0)), formOf(bytes), 'at 0 all of it')
    }
  })

  t.test('a first read may begin anywhere', async t => {
    for (const file of STEADY) {
      const whole = readAt(opened(t, root + file), 0)
      const first = readAt(opened(t, root + file), 1)
      t.equal(withoutClock(whole.slice(0, 1) + first), withoutClock(whole), file)
    }
  })

  t.test('a descriptor that is kept follows the limit', async t => {
    const fd = opened(t, `${root}/proc/meminfo`)
    const before = readAt(fd, 0)
    t.match(before, /^MemTotal: +262144 kB\n/)
    await box.update('--memory', '128M')
    t.equal(readAt(fd, 1), before.slice(1), 'still the old moment')
    t.equal(readAt(fd, before.length), '')
    t.match(readAt(fd, 0), /^MemTotal: +131072 kB\n/)
    t.match(readAt(fd, 1), /^emTotal: +131072 kB\n/)
  })

  t.test('nobody opens a file to write', async t => {
    const opens = BOUND.flatMap(file => ['>', '>>', '<>'].map(how => `(exec 3${how}${file}) 2>&1`))
    for (const [i, output] of (await outputs(box, opens)).entries()) {
      t.match(output, 'Permission denied', `root inside: ${opens[i]}`)
    }
    // This process is root with all capabilities.
    for (const file of BOUND) {
      for (const flag of [constants.O_WRONLY, constants.O_RDWR]) {
        t.throws(() => closeSync(openSync(root + file, flag)), { code: 'EACCES' }, file)
      }
    }
  })

  t.test('a user who is not root reads all but slabinfo', async t => {
    const files = BOUND.filter(path => path !== SECRET)
    const commands = ['id -u', `cat ${SECRET} 2>&1`, `test -r ${SECRET}; echo $?`]
    const cats = files.map(file => `cat ${file}`)
    const [id, secret, access, ...seen] = await outputs(box, [...commands, ...cats], 1000)
    t.equal(id, '1000\n')
    t.match(secret, 'Permission denied')
    t.equal(access, '1\n', 'access(2) agrees')
    const byRoot = await outputs(box, cats)
    for (const [i, file] of files.entries()) t.equal(formOf(seen[i]), formOf(byRoot[i]), file)
  })
})

/** Exact outputs of shell commands inside, for a user. */
async function outputs(box: Box, commands: readonly string[], uid = 0): Promise<string[]> {
  const script = commands.map(command => `${command}\nprintf '\\001'\n`).join('')
  const { stdout } = await box.runc('exec', '--user', `${uid}:${uid}`, box.id, 'sh', '-c', script)
  const found = stdout.split('\x01').slice(0, -1)
  if (found.length === commands.length) return found
  throw new Error(`Cannot run ${commands.length} commands: there are ${found.length} outputs`)
}

function opened(t: Test, path: string): number {
  const fd = openSync(path, 'r')
  t.teardown(() => closeSync(fd))
  return fd
}

/** What one pread(2) gives, or one read(2) without `offset`. */
function readAt(fd: number, offset: number | null = null): string {
  const buffer = Buffer.alloc(256 * 1024)
  return buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, offset))
}

function readByteByByte(fd: number): string {
  let text = ''
  const byte = Buffer.alloc(1)
  while (readSync(fd, byte, 0, 1, null) === 1) text += byte.toString('latin1')
  return text
}

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf('\n', text.length - 2) + 1)
}

/** Some machines change a CPU's clock all the time. */
const withoutClock = (text: string) => text.replace(/^(cpu MHz\s*: ).*/gm, '$1')

/** All but the numbers. */
const formOf = (text = '') => text.replace(/[\d.]+/g, '0').replace(/ +/g, ' ')
