import t from 'tap'
import { placesOf } from '../../src/runtimes/places.ts'
import { systemSearches } from '../../src/runtimes/running.ts'

t.test("root's directories of all runtimes, each once, and none of users", async t => {
  const found = placesOf([
    { runtime: 'runc', roots: ['/run/runc', '/srv/runc'] },
    ...systemSearches(),
  ])
  t.strictSame(
    found.map(({ pattern }) => pattern),
    [
      '/run/runc',
      '/srv/runc',
      'run/isulad/*',
      'sys/fs/cgroup',
      'sys/fs/cgroup/systemd',
      'sys/fs/cgroup/unified',
      'run/systemd/machines',
      'run/youki',
      'run/crun',
      'run/containerd/runc/*',
      'run/docker/runtime-*/*',
    ],
  )
})

t.test('what runs others has no place of its own', async t => {
  const searches = ['docker', 'containerd', 'podman', 'cri-o'].map(runtime => ({
    runtime,
    roots: ['srv/state'],
  }))
  t.strictSame(placesOf(searches), [])
})
