import t from 'tap'
import { MountTree, parseMounts } from '../../src/host/mountinfo.ts'
import { findSpare, planSpare, type SpareChoice } from '../../src/mount/spare.ts'

const ROOT = '64 26 254:0 /b/rootfs / rw - ext4 /dev/vda rw\n'
const PROC = '65 64 0:39 / /proc rw - proc proc rw\n'
const SYS = '66 64 0:40 / /sys ro - sysfs sysfs ro\n'
const DEV = '67 64 0:41 / /dev rw - tmpfs tmpfs rw\n'
const BARE = ROOT + PROC + SYS + DEV
const OURS = '70 65 0:50 /containers/x/proc/stat /proc/stat rw - fuse.lxcfs lxcfs rw\n'
const HELD = `
81 67 0:39 / /dev/.procveil/proc rw - proc proc rw
82 67 0:40 / /dev/.procveil/sys ro - sysfs sysfs ro
`
const SPARE = `${HELD}83 67 0:41 /.procveil /dev/.procveil rw - tmpfs tmpfs rw\n`

const plan = (text: string, choice: SpareChoice = 'always', base = '', host = '') =>
  planSpare(new MountTree(parseMounts(text)), base, choice, () => parseMounts(host))

t.test('spare mounts are left before and after our files are bound', async t => {
  for (const text of [BARE, BARE + OURS]) {
    t.match(plan(text), {
      outcome: 'left',
      takeOff: undefined,
      leave: { dev: { id: 67 }, nestable: [{ mount: { id: 65 } }, { mount: { id: 66 } }] },
    })
  }
  t.match(plan(ROOT + PROC + DEV).leave?.nestable, [{ directory: 'proc' }], 'there is no /sys')
  t.match(plan(ROOT + SYS + DEV), { outcome: 'none', leave: undefined }, 'there is no /proc')
})

t.test("the host's mounts are read only where spare mounts are to be left", async t => {
  let reads = 0
  const read = () => {
    reads++
    return []
  }
  const look = (text: string, choice: SpareChoice) =>
    planSpare(new MountTree(parseMounts(text)), '', choice, read)
  look(BARE, 'never')
  look(BARE + SPARE, 'never')
  look(BARE + OURS + SPARE, 'always')
  t.equal(reads, 0)
  t.equal(look(BARE, 'always').outcome, 'left')
  t.equal(reads, 1)
})

t.test('they are left once', async t => {
  const nothing = { takeOff: undefined, leave: undefined }
  t.strictSame(plan(BARE + OURS + SPARE), { ...nothing, outcome: 'there already' })
  t.match(plan(BARE + OURS + HELD), { takeOff: { held: [{}, {}] }, leave: {} }, 'without a cover')
  const part = SPARE.replace(/^82.*\n/m, '')
  t.match(plan(BARE + part), { takeOff: { held: [{ id: 81 }] }, leave: {} }, 'without sysfs')
  const other = SPARE.replace('0:39', '0:38')
  t.match(plan(BARE + other), { takeOff: {}, leave: {} }, 'of another proc')
})

t.test('they are taken off where they are not wanted any more', async t => {
  t.match(plan(BARE + SPARE, 'never'), { takeOff: { cover: { id: 83 } }, leave: undefined })
  const mask = (id: number, on: number, path: string) =>
    `${id} ${on} 0:51 / ${path} ro - tmpfs tmpfs ro\n`
  const masks = mask(90, 65, '/proc/acpi') + mask(91, 66, '/sys/firmware')
  t.match(plan(BARE + SPARE + masks), { takeOff: { held: [{}, {}] }, leave: undefined })
  t.strictSame(plan(BARE, 'never'), { takeOff: undefined, leave: undefined, outcome: 'none' })
})

t.test('where one is visible elsewhere none is left', async t => {
  const lxc = '84 67 0:39 / /dev/.lxc/proc rw - proc proc rw\n'
  t.match(plan(BARE + lxc).leave?.nestable, [{ directory: 'sys' }])
})

t.test('before pivot_root mountinfo is not enough', async t => {
  const text = `26 1 254:0 / / rw - ext4 /dev/vda rw
64 26 254:0 /b /b rw - ext4 /dev/vda rw
65 64 0:39 / /b/proc rw - proc proc rw
67 64 0:41 / /b/dev rw - tmpfs tmpfs rw
`
  t.match(plan(text, 'always', '/b'), { outcome: 'left' })
  t.match(plan(text, 'unless-early', '/b'), { outcome: 'none', leave: undefined })
})

t.test("only a tmpfs of the container's own is a place", async t => {
  const on = (dev: string) => plan(ROOT + PROC + dev)
  t.match(on(''), { outcome: 'no place', leave: undefined })
  t.match(on(DEV.replaceAll('tmpfs', 'devtmpfs')), { outcome: 'no place' })
  t.match(on(DEV.replace('0:41 /', '0:41 /part')), { outcome: 'no place' })
  const host = '30 26 0:41 / /run rw - tmpfs tmpfs rw\n'
  t.match(plan(BARE, 'always', '', host), { outcome: 'no place' }, "the host's")
})

t.test('only what is ours is found', async t => {
  const find = (text: string) => findSpare(new MountTree(parseMounts(text)), '')
  t.match(find(BARE + SPARE), { cover: { id: 83 }, held: [{ id: 81 }, { id: 82 }] })
  t.equal(find(BARE), undefined)
  t.equal(find(`${BARE}83 67 0:51 / /dev/.procveil rw - tmpfs tmpfs rw\n`), undefined)
  t.equal(find(`${BARE}83 67 0:51 / /dev/.procveil/proc rw - tmpfs tmpfs rw\n`), undefined)
  t.equal(find(ROOT), undefined)
})
