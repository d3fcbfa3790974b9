import t from 'tap'
import { parseCoverage } from '../../../src/command/containers/coverage.ts'

const FILES = ['proc/meminfo', 'proc/stat', 'sys/devices/system/cpu/online']
const SERVED = { major: 0, minor: 50 }
const BARE = `
64 26 254:0 /rootfs / rw - ext4 /dev/vda rw
65 64 0:39 / /proc rw - proc proc rw
66 64 0:40 / /sys ro - sysfs sysfs ro
`
let nextId = 70

/** A mount of a file in a container, of the kind that lxcfs has. */
const bind = (path: string, minor: number, root = `/containers/web/${path}`) =>
  `${nextId++} ${path.startsWith('sys/') ? 66 : 65} 0:${minor} ${root} /${path} ro - fuse.lxcfs lxcfs rw\n`

const look = (mountinfo: string, served: typeof SERVED | undefined = SERVED, files = FILES) =>
  parseCoverage(mountinfo, { id: 'web', rootfs: '/rootfs' }, files, served)

const all = (minor: number) => FILES.map(file => bind(file, minor)).join('')

t.test('a container without our files sees the host', async t => {
  t.strictSame(look(BARE), {
    bound: 0,
    files: 3,
    state: 'host',
    otherDevices: [],
    barsNesting: false,
  })
})

t.test('all files of the mount that is served are ok', async t => {
  t.strictSame(look(BARE + all(50)), {
    bound: 3,
    files: 3,
    state: 'ok',
    otherDevices: [],
    barsNesting: true,
  })
})

t.test('some of them are partial', async t => {
  t.match(look(BARE + bind('proc/stat', 50)), { bound: 1, files: 3, state: 'partial' })
})

t.test('a file that cannot be bound is not missed', async t => {
  const withoutSys = BARE.replace(/^66.*\n/m, '')
  const files = FILES.slice(0, 2)
  t.match(look(withoutSys + files.map(file => bind(file, 50)).join('')), {
    bound: 2,
    files: 2,
    state: 'ok',
  })
  const masked = `${BARE}69 65 0:5 /null /proc/stat rw - devtmpfs devtmpfs rw\n`
  t.match(look(masked + bind('proc/meminfo', 50) + bind(FILES[2] as string, 50)), {
    files: 2,
    state: 'ok',
  })
  t.match(look('', SERVED), { bound: 0, files: 0, state: 'host' }, 'no /proc at all')
})

t.test('a file of another mount makes it stale', async t => {
  t.match(look(BARE + all(50) + bind('proc/stat', 51)), {
    bound: 2,
    state: 'stale',
    otherDevices: ['0:51'],
  })
  t.match(parseCoverage(BARE + all(50), { id: 'web', rootfs: '/rootfs' }, FILES, undefined), {
    bound: 0,
    state: 'stale',
    otherDevices: ['0:50'],
  })
  t.match(
    look(BARE + bind('proc/stat', 51) + all(50)),
    { state: 'ok' },
    'below ours it is not seen',
  )
})

t.test("another container's file is not its own", async t => {
  const other = bind('proc/stat', 50, '/containers/other/proc/stat')
  t.match(look(BARE + other), { bound: 0, state: 'stale' })
})

t.test('a file that was looked up anew, and the one at the top of the mount, are ours', async t => {
  const again = bind('proc/stat', 50, '/containers/web/proc/stat//deleted')
  const top = bind('proc/meminfo', 50, '/proc/meminfo')
  t.match(look(BARE + again + top, SERVED, FILES.slice(0, 2)), { bound: 2, state: 'ok' })
})
