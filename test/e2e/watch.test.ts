/** Containers that no hook has seen get their files as they start, and are forgotten when they end. */

import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { type Box, type BoxOptions, box, started } from '../kit/box.ts'
import { HOST_KIB, readMemTotal } from '../kit/mem-total.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { watching } from '../kit/watching.ts'

const unhooked = (t: Test, here: Site, id: string, options: BoxOptions = {}) =>
  box(t, here, id, { stages: [], memoryBytes: 2 ** 26, ...options })

const rootOf = (here: Site) => join(here.directory, 'runc')

const until = (what: string, isSo: () => boolean | Promise<boolean>, timeoutMs?: number) =>
  retry(async () => {
    if (!(await isSo())) throw new Error(`Cannot go on before ${what}`)
  }, timeoutMs)

/** Waits until the container with this limit has its files. */
const attached = (made: Box, kib = '65536') =>
  retry(async () => {
    const seen = await readMemTotal(made)
    if (seen !== kib) throw new Error(`Cannot find the files in ${made.id}: it sees ${seen}`)
  })

/** Waits until these containers are registered and no others. */
const registered = (here: Site, ...ids: string[]) =>
  retry(() => {
    const found = here.registered().sort().join()
    if (found !== ids.map(id => `${id}.json`).join()) {
      throw new Error(`Cannot go on: there are ${found}`)
    }
  })

t.test('containers of runc come and go', needs('runc'), async t => {
  const here = site(t)
  const watcher = await watching(t, here, [rootOf(here)])
  const before = { watches: watcher.watches(), descriptors: watcher.descriptors() }
  const [one, two] = [unhooked(t, here, 'watch-one'), unhooked(t, here, 'watch-two')]
  await Promise.all([one.start(), two.start()])
  await Promise.all([attached(one), attached(two)])
  t.strictSame(here.registered().sort(), ['watch-one.json', 'watch-two.json'])
  await one.remove()
  await registered(here, 'watch-two')
  t.equal(watcher.watches(), before.watches, 'who has its files is not watched any more')

  // Its state directory is gone, and comes again with the next container.
  await two.remove()
  await registered(here)
  rmSync(rootOf(here), { recursive: true })
  const three = unhooked(t, here, 'watch-three')
  await three.start()
  await attached(three)
  await three.remove()
  await registered(here)
  const said = (await watcher.end()).split('\n')
  const lines = ['one', 'two', 'three'].flatMap(id => [
    `attached watch-${id}`,
    `forgotten watch-${id}`,
  ])
  t.strictSame(said.sort(), lines.sort())
})

t.test(
  'a container that is started again under its id has its files again',
  needs('runc'),
  async t => {
    const here = site(t)
    await watching(t, here, [rootOf(here)])
    const made = unhooked(t, here, 'watch-again')
    await made.start()
    await attached(made)
    const first = readFileSync(join(here.runDirectory, 'containers/watch-again.json'), 'utf8')
    await made.runc('delete', '--force', made.id)
    await made.start()
    await attached(made)
    const second = readFileSync(join(here.runDirectory, 'containers/watch-again.json'), 'utf8')
    t.not(JSON.parse(first).pid, JSON.parse(second).pid)
  },
)

t.test('what has come and gone while nobody watched', needs('runc'), async t => {
  const here = site(t)
  const watcher = await watching(t, here, [rootOf(here)])
  const made = ['gone', 'left', 'stopped'].map(id => unhooked(t, here, `watch-${id}`))
  const [gone, left, stopped] = made as [Box, Box, Box]
  for (const each of made) await each.start()
  for (const each of made) await attached(each)
  await watcher.end('SIGKILL')

  await gone.remove()
  // Its state is there until it is deleted.
  await stopped.runc('kill', stopped.id, 'KILL')
  const late = unhooked(t, here, 'watch-late')
  await late.start()
  t.equal(await readMemTotal(late), HOST_KIB)
  t.equal(here.registered().length, 3)
  const next = await watching(t, here, [rootOf(here)])
  await attached(late)
  await registered(here, 'watch-late', 'watch-left', 'watch-stopped')
  t.equal(await readMemTotal(left), '65536')
  await stopped.runc('delete', stopped.id)
  await registered(here, 'watch-late', 'watch-left')
  const said = (await next.end()).split('\n').sort()
  // The other one may have been forgotten with what was attached.
  const told = said.filter(line => line !== 'forgotten watch-gone')
  t.strictSame(told, ['attached watch-late', 'forgotten watch-stopped'])
})

t.test('who has a hook, or was left out', needs('runc'), async t => {
  const here = site(t)
  const hooked = await started(t, here, 'watch-hooked', { memoryBytes: 2 ** 26 })
  const out = unhooked(t, here, 'watch-out')
  await out.start()
  const watcher = await watching(t, here, [rootOf(here)])
  await attached(out)
  const options = ['--runtime-root', rootOf(here), '-c', out.id]
  await here.toolkit('umount', ...options)
  t.equal(await readMemTotal(out), HOST_KIB)
  // An update writes the state again.
  await out.update('--memory', '134217728')

  const off = unhooked(t, here, 'watch-off', { annotations: { 'io.procveil.enabled': 'off' } })
  await off.start()

  const files = { 'io.procveil.files': 'uptime' }
  const chosen = unhooked(t, here, 'watch-chosen', { annotations: files })
  await chosen.start()
  await until('it has one', async () => (await chosen.sh('mount | grep -c lxcfs || :')) === '1')
  t.equal(await readMemTotal(chosen), HOST_KIB, 'an annotation chooses the files')

  const later = await started(t, here, 'watch-hooked-later', { memoryBytes: 2 ** 26 })
  t.equal(await readMemTotal(later), '65536')
  t.equal(await readMemTotal(out), HOST_KIB, 'an operator took its files out')
  t.equal(await readMemTotal(hooked), '65536')
  const roots = ['--runtime-root', rootOf(here)]
  const { stdout } = await here.toolkit('remount', '--all', ...roots)
  t.match(stdout, /skipped/)
  t.equal(await readMemTotal(off), HOST_KIB, 'its annotation wants none')
  await here.toolkit('remount', '-c', off.id, ...roots)
  t.equal(await readMemTotal(off), '65536', 'who names it wants them all the same')
  const said = (await watcher.end()).split('\n').filter(line => /hooked/.test(line))
  t.strictSame(said, [], 'there was nothing to do for who has a hook')
})

t.test('a container that cannot be attached is told of once', needs('runc'), async t => {
  const here = site(t)
  const root = rootOf(here)
  await watching(t, here, [root])
  // It has no /proc.
  const script = 'umount -l /proc && exec sleep 100'
  const container = execa('unshare', ['--mount', 'sh', '-c', script], { reject: false })
  t.teardown(() => container.kill())
  const { pid } = container
  const comm = () => readFileSync(`/proc/${pid}/comm`, 'utf8')
  await until('it sleeps', () => comm() === 'sleep\n')
  const state = {
    id: 'watch-bare',
    init_process_pid: pid,
    init_process_start: startTicksOf(pid),
    config: { rootfs: '/' },
  }
  mkdirSync(join(root, state.id), { recursive: true })
  const write = () => writeFileSync(join(root, state.id, 'state.json'), JSON.stringify(state))
  write()
  const times = () => here.readLog().match(/Cannot attach watch-bare/g)?.length
  await until('it is reported', () => times() === 1, 30_000)
  write()
  const other = unhooked(t, here, 'watch-other')
  await other.start()
  await attached(other)
  t.equal(times(), 1)
  t.strictSame(here.registered(), ['watch-other.json'])
})

t.test('events that the kernel had to leave out', needs('runc'), async t => {
  const here = site(t)
  const root = rootOf(here)
  const watcher = await watching(t, here, [root])
  const before = unhooked(t, here, 'watch-before')
  await before.start()
  await attached(before)
  process.kill(watcher.pid, 'SIGSTOP')
  const most = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'))
  const flood = () => {
    for (let events = 0; events < most + 2; events += 2) {
      mkdirSync(join(root, 'watch-flood'))
      rmdirSync(join(root, 'watch-flood'))
    }
  }
  flood()
  await before.remove()
  t.strictSame(here.registered(), ['watch-before.json'])
  process.kill(watcher.pid, 'SIGCONT')
  await registered(here)
  process.kill(watcher.pid, 'SIGSTOP')
  flood()
  const lost = unhooked(t, here, 'watch-lost')
  await lost.start()
  process.kill(watcher.pid, 'SIGCONT')
  await attached(lost)
  await registered(here, 'watch-lost')
  const told = (await watcher.end()).split('\n')
  t.strictSame(told, ['attached watch-before', 'forgotten watch-before', 'attached watch-lost'])
})

t.test('the status of crun', needs('runc'), async t => {
  const here = site(t)
  const root = join(here.directory, 'crun')
  const watcher = await watching(t, here, [`crun=${root}`])
  const made = unhooked(t, here, 'watch-crun')
  await made.start()
  const pid = await made.pid()
  mkdirSync(join(root, made.id), { recursive: true })
  const state = { pid, 'process-start-time': startTicksOf(pid), rootfs: '/' }
  writeFileSync(join(root, made.id, 'status'), JSON.stringify(state))
  await attached(made)
  await made.runc('delete', '--force', made.id)
  rmSync(join(root, made.id), { recursive: true })
  await registered(here)
  t.equal(await watcher.end(), 'attached watch-crun\nforgotten watch-crun')
})

const startTicksOf = (pid: number | undefined) =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19])

t.test('state that is written in steps, and state that says nothing', needs('runc'), async t => {
  const here = site(t)
  const root = rootOf(here)
  const watcher = await watching(t, here, [root])
  const before = watcher.watches()
  const made = unhooked(t, here, 'watch-steps')
  // The state of a container that runs elsewhere is put here piece by piece.
  const other = join(here.directory, 'elsewhere')
  await made.start()
  await attached(made)
  await here.toolkit('umount', '--runtime-root', root, '-c', made.id)
  const state = readFileSync(join(root, made.id, 'state.json'), 'utf8')
  mkdirSync(join(root, 'watch-nobody'))
  writeFileSync(join(root, 'watch-nobody/state.json'), state.slice(0, 100))
  mkdirSync(other)
  for (let i = 0; i < 1000; i++) {
    const path = join(root, `watch-${i}`)
    mkdirSync(path)
    writeFileSync(join(other, 'state.json'), '{}')
    renameSync(join(other, 'state.json'), join(path, 'state.json'))
    rmSync(path, { recursive: true })
  }
  rmSync(join(root, 'watch-nobody'), { recursive: true })
  const last = unhooked(t, here, 'watch-last')
  await last.start()
  await attached(last)
  await until('no watch is left', () => watcher.watches() === before)
  t.equal((await watcher.end()).split('\n').length, 2)
})
