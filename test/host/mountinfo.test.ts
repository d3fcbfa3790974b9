import { execFileSync } from 'node:child_process'
import t from 'tap'
import { findMount, findMountAround } from '../../src/host/mountinfo.ts'

const ROOT = process.getuid?.() === 0 ? {} : { skip: 'unshare needs root' }

const MOUNTS = `
30 26 0:30 / /a/b rw - tmpfs inner rw
26 1 254:0 / / rw - ext4 /dev/vda rw
31 32 0:31 / /a rw - tmpfs upper rw
32 26 0:32 / /a rw - tmpfs lower rw
33 31 0:33 / /a/b rw - tmpfs shown rw
`

t.test('the topmost mount at a path is found by the parents', async t => {
  t.equal(findMount(MOUNTS, '/')?.id, 26)
  t.equal(findMount(MOUNTS, '/a')?.id, 31)
  t.equal(findMount(MOUNTS, '/a/b')?.id, 33)
  t.equal(findMount(MOUNTS, '/a/b/c'), undefined)
  t.equal(findMount(MOUNTS, '/x'), undefined)
})

t.test('a directory is part of the mount that a lookup ends at', async t => {
  t.equal(findMountAround(MOUNTS, '/x')?.id, 26)
  t.equal(findMountAround(MOUNTS, '/a/x')?.id, 31)
  t.equal(findMountAround(MOUNTS, '/a/b/c/d')?.id, 33)
  t.equal(findMountAround(MOUNTS, '/ab')?.id, 26)
})

t.test('a root that is no mount point, and the first root of a machine', async t => {
  const inside = '40 39 0:30 / /a rw - tmpfs x rw\n41 40 0:31 / /a/b rw - tmpfs y rw\n'
  t.equal(findMount(inside, '/a/b')?.id, 41)
  t.equal(findMount(inside, '/'), undefined)
  t.equal(findMountAround(inside, '/x'), undefined)
  t.equal(
    findMount('1 1 0:2 / / rw - rootfs rootfs rw\n2 1 0:3 / /a rw - tmpfs x rw\n', '/a')?.id,
    2,
  )
})

/** Moves a mount that was made first onto one that was made later, and prints what then lies there, and mountinfo. */
const MOVE = `
mount --make-rprivate / && mount -t tmpfs base /mnt && cd /mnt && mkdir first place
mount -t tmpfs early first && touch first/early
mount -t tmpfs late place && mount --move first place
ls place && cat /proc/self/mountinfo`

t.test('as the kernel has it after mount --move', ROOT, async t => {
  const text = execFileSync('unshare', ['--mount', 'sh', '-ec', MOVE], { encoding: 'utf8' })
  const [seen = '', ...lines] = text.split('\n')
  t.equal(seen, 'early')
  t.equal(findMount(lines.join('\n'), '/mnt/place')?.source, 'early')
})

t.test('a lookup ends where a damaged text lists a mount that lies on itself', async t => {
  const itself = '-1 21 0:25 / /a rw - tmpfs x rw\n'
  t.equal(findMount(itself, '/a')?.id, -1)
  const round =
    '1 0 0:1 / / rw - ext4 x rw\n2 1 0:2 / /a rw - tmpfs x rw\n1 2 0:3 / /a rw - tmpfs x rw\n'
  t.equal(findMountAround(round, '/a/b')?.mountPoint, '/a')
})
