import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Entry, PlaceWatch } from '../../../src/command/watch/place-watch.ts'
import {
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_IGNORED,
  IN_MOVE_SELF,
  IN_MOVED_TO,
  IN_Q_OVERFLOW,
} from '../../../src/host/inotify.ts'
import { placesOf } from '../../../src/runtimes/places.ts'
import type { Search } from '../../../src/runtimes/running.ts'
import { machine } from '../../machines/machine.ts'
import { FakeWatches } from './fake-watches.ts'

const RUNC: Search = { runtime: 'runc', roots: ['run/runc'] }
const DOCKER: Search = { runtime: 'runc', roots: ['run/docker/runtime-*/*'] }

function watched(t: Test, files: Readonly<Record<string, string>>, ...searches: Search[]) {
  const host = machine(t, files)
  const watches = new FakeWatches()
  const told: string[] = []
  const failures: unknown[] = []
  const entries = new Map<string, Entry>()
  const places: PlaceWatch = new PlaceWatch(host, watches, placesOf(searches), {
    changed: entry => {
      const path = `${entry.root}/${entry.name}`
      told.push(path)
      entries.set(path, entry)
    },
    lost: () => {
      told.push('lost')
      places.lookAtAll()
    },
    failed: error => failures.push(error),
  })
  const path = (name: string) => join(host.directory, name)
  return {
    host,
    watches,
    places,
    failures,
    path,
    make: (name: string) => mkdirSync(path(name), { recursive: true }),
    /** What was told since the last time. */
    told: () => told.splice(0),
    watching: () => watches.below(host.directory),
    happens: (name: string, mask: number, what?: string) =>
      places.take([watches.event(path(name), mask, what)]),
    ends: (name: string, mask = IN_DELETE_SELF) =>
      places.take(watches.ended(path(name), mask, IN_IGNORED)),
    over: (name: string) => places.close(entries.get(name) as Entry),
  }
}

t.test('a container is watched until it is complete', async t => {
  const at = watched(t, { 'run/runc/old/state.json': '{}' }, RUNC)
  at.places.lookAtAll()
  t.strictSame(at.told(), ['run/runc/old'], 'what is there is told')
  at.over('run/runc/old')
  t.strictSame(at.watching(), ['run/runc'])

  at.make('run/runc/new')
  at.happens('run/runc', IN_CREATE, 'new')
  t.strictSame(at.told(), ['run/runc/new'])
  t.strictSame(at.watching(), ['run/runc', 'run/runc/new'])
  at.happens('run/runc/new', IN_CLOSE_WRITE, 'state-1234')
  t.strictSame(at.told(), [], 'a temporary file says nothing')
  at.happens('run/runc/new', IN_MOVED_TO, 'state.json')
  t.strictSame(at.told(), ['run/runc/new'])
  at.over('run/runc/new')
  t.strictSame(at.watching(), ['run/runc'])

  rmSync(at.path('run/runc/new'), { recursive: true })
  at.happens('run/runc', IN_DELETE, 'new')
  t.strictSame(at.told(), ['run/runc/new'], 'its end is told')
})

t.test('one that has ended before it was complete is watched no more', async t => {
  const at = watched(t, { 'run/runc/x/state.json': '{}' }, RUNC)
  at.places.lookAtAll()
  rmSync(at.path('run/runc/x'), { recursive: true })
  at.ends('run/runc/x')
  at.happens('run/runc', IN_DELETE, 'x')
  t.strictSame(at.watching(), ['run/runc'])
  t.equal(at.places.count, 1)
})

t.test('one that was made again under its name is watched anew', async t => {
  const at = watched(t, { 'run/runc/x/state.json': '{}' }, RUNC)
  at.places.lookAtAll()
  const gone = at.watches.ended(at.path('run/runc/x'), IN_DELETE_SELF, IN_IGNORED)
  rmSync(at.path('run/runc/x'), { recursive: true })
  at.make('run/runc/x')
  at.told()
  const root = at.watches.event(at.path('run/runc'), IN_DELETE, 'x')
  at.places.take([...gone, root, { ...root, mask: IN_CREATE }])
  t.strictSame(at.told(), ['run/runc/x', 'run/runc/x'])
  t.strictSame(at.watching(), ['run/runc', 'run/runc/x'])
})

t.test('a place that is not there is waited for', async t => {
  const at = watched(t, { 'run/x': '' }, DOCKER)
  at.places.lookAtAll()
  t.strictSame(at.watching(), ['run'], 'the nearest directory above it')
  at.make('run/docker')
  at.happens('run', IN_CREATE, 'docker')
  t.strictSame(at.watching(), ['run/docker'], 'that above is not watched any more')
  at.make('run/docker/runtime-runc/moby/one')
  at.make('run/docker/plugins')
  at.happens('run/docker', IN_CREATE, 'plugins')
  t.strictSame(at.told(), [])
  at.happens('run/docker', IN_CREATE, 'runtime-runc')
  t.strictSame(at.told(), ['run/docker/runtime-runc/moby/one'], 'with what came meanwhile')
  t.strictSame(at.watching(), [
    'run/docker',
    'run/docker/runtime-runc',
    'run/docker/runtime-runc/moby',
    'run/docker/runtime-runc/moby/one',
  ])
})

t.test('a place that goes is waited for again', async t => {
  const at = watched(t, { 'run/docker/runtime-runc/moby/one/state.json': '' }, DOCKER)
  at.places.lookAtAll()
  at.told()
  rmSync(at.path('run/docker'), { recursive: true })
  const paths = ['/runtime-runc/moby/one', '/runtime-runc/moby', '/runtime-runc', '']
  const gone = paths.flatMap(path =>
    at.watches.ended(at.path(`run/docker${path}`), IN_DELETE_SELF, IN_IGNORED),
  )
  at.places.take(gone)
  t.strictSame(at.watching(), ['run'])
  at.make('run/docker/runtime-runc/moby/two')
  at.happens('run', IN_CREATE, 'docker')
  t.strictSame(at.told(), ['run/docker/runtime-runc/moby/two'])
})

t.test('a place that was moved is not watched any more, and the one in its stead is', async t => {
  const at = watched(t, { 'run/runc/one/state.json': '' }, RUNC)
  at.places.lookAtAll()
  at.over('run/runc/one')
  renameSync(at.path('run/runc'), at.path('run/before'))
  at.make('run/runc/two')
  at.told()
  at.happens('run/runc', IN_MOVE_SELF)
  t.strictSame(at.told(), ['run/runc/two'])
  t.strictSame(at.watching(), ['run/runc', 'run/runc/two'])
})

t.test('two ways to one place tell of it, and none leads out by a link', async t => {
  const at = watched(
    t,
    { 'run/runc/x/state.json': '' },
    { runtime: 'runc', roots: ['run/runc', 'run/link', 'run/*/runc', '/run/runc'] },
  )
  symlinkSync('runc', at.path('run/link'))
  at.places.lookAtAll()
  t.strictSame(at.told(), ['run/runc/x', 'run/link/x'], 'a root itself may be a link')
  rmSync(at.path('run/link'))
  rmSync(at.path('run/runc/x'), { recursive: true })
  at.happens('run/runc', IN_DELETE, 'x')
  t.strictSame(at.told(), ['run/runc/x', 'run/link/x'])
  t.strictSame(at.watching(), ['run', 'run/runc'])
})

t.test('after lost events everything is looked at once', async t => {
  const at = watched(t, { 'run/runc/x/state.json': '', 'run/runc/y/state.json': '' }, RUNC)
  at.places.lookAtAll()
  at.over('run/runc/y')
  at.told()
  rmSync(at.path('run/runc/x'), { recursive: true })
  at.make('run/runc/z')
  at.places.take([{ wd: -1, mask: IN_Q_OVERFLOW, name: '' }])
  t.strictSame(at.told(), ['lost', 'run/runc/y', 'run/runc/z'])
  at.over('run/runc/y')
  at.over('run/runc/z')
  t.equal(at.places.count, 1)
})

t.test('a container whose directory cannot be watched is told of', async t => {
  const at = watched(t, { 'run/runc/.keep': '' }, RUNC)
  at.places.lookAtAll()
  at.watches.isFull = true
  at.make('run/runc/x')
  at.told()
  at.happens('run/runc', IN_CREATE, 'x')
  t.strictSame(at.told(), ['run/runc/x'])
  t.match(at.failures, [{ code: 'ENOSPC' }])
})

t.test('machines are files, and payloads of LXC are cgroups', async t => {
  const at = watched(
    t,
    { 'run/systemd/machines/web': '', 'sys/fs/cgroup/lxc.payload.box/cgroup.procs': '' },
    { runtime: 'nspawn', roots: ['run/systemd/machines'] },
    { runtime: 'lxc', roots: ['var/lib/lxc'] },
  )
  at.make('sys/fs/cgroup/system.slice')
  at.places.lookAtAll()
  t.strictSame(at.told(), ['run/systemd/machines/web', 'sys/fs/cgroup/lxc.payload.box'])
  at.happens('sys/fs/cgroup', IN_CREATE, 'user.slice')
  t.strictSame(at.told(), [])
  at.happens('run/systemd/machines', IN_MOVED_TO, 'db')
  t.strictSame(at.told(), ['run/systemd/machines/db'])
  t.strictSame(at.watching(), ['run/systemd/machines', 'sys/fs/cgroup'])
})

t.test('a thousand containers leave no watch behind', async t => {
  const at = watched(t, { 'run/runc/.keep': '' }, RUNC)
  at.places.lookAtAll()
  const before = at.places.count
  for (let i = 0; i < 1000; i++) {
    at.make('run/runc/x')
    at.happens('run/runc', IN_CREATE, 'x')
    if (i % 2 === 0) at.over('run/runc/x')
    rmSync(at.path('run/runc/x'), { recursive: true })
    at.happens('run/runc', IN_DELETE, 'x')
  }
  t.equal(at.told().length, 2000)
  t.equal(at.places.count, before)
})
