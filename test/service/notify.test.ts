import t from 'tap'
import {
  isRestartJob,
  notifySocket,
  parseName,
  parsePassed,
  parseStored,
  parseUnit,
  passNotifySocket,
  renderName,
  renderNotification,
  takePassed,
} from '../../src/service/notify.ts'

t.test('a message is a line for each assignment', async t => {
  t.equal(renderNotification({ FDSTORE: '1', FDNAME: 'fuse-59' }), 'FDSTORE=1\nFDNAME=fuse-59\n')
})

t.test('descriptors are passed to one process', async t => {
  const environment = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'fuse-59:executable' }
  t.strictSame(parsePassed(environment, 7), [
    { name: 'fuse-59', fd: 3 },
    { name: 'executable', fd: 4 },
  ])
  t.strictSame(parsePassed(environment, 8), [], 'a child that has inherited the environment')
  t.strictSame(parsePassed({}, 7), [])
  t.strictSame(parsePassed({ ...environment, LISTEN_FDS: 'x' }, 7), [])
  t.strictSame(
    parsePassed({ LISTEN_PID: '7', LISTEN_FDS: '2' }, 7).map(({ name }) => name),
    ['', ''],
    'before systemd 227 they have no names',
  )
})

t.test('what was passed is taken once', async t => {
  const environment: Record<string, string | undefined> = {
    ...{ LISTEN_PID: '7', LISTEN_PIDFDID: '1', LISTEN_FDS: '1', LISTEN_FDNAMES: 'x' },
    NOTIFY_SOCKET: '/run/systemd/notify',
  }
  t.strictSame(takePassed(environment, 7), [{ name: 'x', fd: 3 }])
  t.strictSame(environment, { NOTIFY_SOCKET: '/run/systemd/notify' })
  t.strictSame(takePassed(environment, 7), [])
})

t.test('the socket is passed on where there is one', async t => {
  t.strictSame(passNotifySocket({ NOTIFY_SOCKET: '@x', HOME: '/' }), { NOTIFY_SOCKET: '@x' })
  t.strictSame(passNotifySocket({}), {})
  t.equal(notifySocket({ NOTIFY_SOCKET: '' }), undefined)
})

t.test('a name says to which mount a descriptor belongs', async t => {
  t.equal(renderName('fuse', 59), 'fuse-59')
  t.strictSame(parseName('fuse-59'), { kept: 'fuse', minor: 59 })
  for (const name of ['executable', 'fuse', 'fuse-', 'fuse-5x', 'stored', 'other-59', ''])
    t.equal(parseName(name), undefined)
})

t.test('the unit of a process is in its cgroups', async t => {
  t.equal(parseUnit('0::/system.slice/procveil.service\n'), 'procveil.service')
  t.equal(parseUnit('9:name=systemd:/system.slice/lxcfs.service\n0::/\n'), 'lxcfs.service')
  t.equal(parseUnit('0::/system.slice/procveil.service/sub\n'), 'procveil.service')
  t.equal(parseUnit('4:memory:/system.slice/procveil.service\n0::/user.slice\n'), undefined)
  t.equal(parseUnit(''), undefined)
})

t.test('systemd says how many descriptors it keeps', async t => {
  t.equal(parseStored('NFileDescriptorStore=2\nActiveState=active\n'), 2)
  t.equal(parseStored('ActiveState=active\n'), 0)
})

t.test('a job says whether a unit is to be started again', async t => {
  const jobs = '  71 procveil.service restart running\n  72 other.service stop waiting\n'
  t.equal(isRestartJob(jobs, 'procveil.service'), true)
  t.equal(isRestartJob(jobs, 'other.service'), false)
  t.equal(isRestartJob('71 procveil.service stop running\n', 'procveil.service'), false)
  t.equal(isRestartJob('', 'procveil.service'), false)
})
