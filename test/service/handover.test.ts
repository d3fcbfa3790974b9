import { Command } from 'commander'
import t from 'tap'
import { JOURNAL_SIZE, Journal } from '../../src/fuse/journal.ts'
import { DEFAULT_OPTIONS } from '../../src/proc/options.ts'
import {
  KEEPER_FLAGS,
  type KeeperOrders,
  parseKeeperOrders,
  parseSelfCheck,
  parseServerOrders,
  REQUESTS_FORM,
  renderKeeperOrders,
  renderSelfCheck,
  renderServerOrders,
  SERVER_FLAGS,
  type ServerOrders,
  takesRequests,
} from '../../src/service/handover.ts'

const OPTIONS = { ...DEFAULT_OPTIONS, cpuQuota: 'off', uptime: 'host' } as const

/** What a command line comes to in the program's own parser. */
function parse(args: readonly string[], flags: readonly string[]): object {
  const command = new Command().exitOverride()
  for (const flag of flags) command.option(flag)
  command.parse(args, { from: 'user' })
  return command.opts()
}

const parseKeeper = (args: readonly string[]) =>
  parseKeeperOrders(parse(args, ['--ready-fd <number>', ...KEEPER_FLAGS]))
const parseServer = (args: readonly string[]) => parseServerOrders(parse(args, SERVER_FLAGS))

t.test('orders to a keeper survive a round trip', async t => {
  const orders: KeeperOrders[] = [
    { readyFd: undefined, adopted: undefined },
    { readyFd: 3, adopted: undefined },
    {
      readyFd: 12,
      adopted: { fuseFd: 7, requestsFd: 8, serverPid: 4_194_304, options: OPTIONS },
    },
    {
      readyFd: 4,
      adopted: { fuseFd: 0, requestsFd: undefined, serverPid: 1, options: DEFAULT_OPTIONS },
    },
  ]
  for (const each of orders) t.strictSame(parseKeeper(renderKeeperOrders(each)), each)
})

t.test(
  'an option that nobody has set is not handed over: another version may not know it',
  async t => {
    const adopted = {
      fuseFd: 3,
      serverPid: 1,
      options: { ...DEFAULT_OPTIONS, cpuQuota: 'off' as const },
    }
    const args = renderKeeperOrders({ adopted })
    t.equal(args[args.indexOf('--adopt') + 1], '{"cpuQuota":"off"}')
    const orders = { options: DEFAULT_OPTIONS, resume: true }
    t.strictSame(renderServerOrders(orders).slice(0, 2), ['--options', '{}'])
  },
)

t.test('orders to a server survive a round trip', async t => {
  for (const resume of [true, false]) {
    const orders: ServerOrders = { options: OPTIONS, resume }
    t.strictSame(parseServer(renderServerOrders(orders)), orders)
  }
  const blaming: ServerOrders = { options: OPTIONS, resume: true, blameUsec: 8.64e13 }
  t.strictSame(parseServer(renderServerOrders(blaming)), blaming)
  const following: ServerOrders = { options: OPTIONS, resume: true, beforePid: 812 }
  t.strictSame(parseServer(renderServerOrders(following)), following)
})

t.test('what 0.1.0 says is understood', async t => {
  const options = '{"cpuQuota":"off"}'
  const adopted = { options: { ...DEFAULT_OPTIONS, cpuQuota: 'off' }, serverPid: 812 }
  t.strictSame(
    parseKeeper(['--ready-fd', '4', '--adopt', options, '--before', '812', '--without-resend']),
    { readyFd: 4, adopted: { ...adopted, fuseFd: 3, requestsFd: undefined } },
    'its server, to the next keeper',
  )
  const upgrade = ['--adopt', options, '--before', '812', '--fuse-fd', '9', '--ready-fd', '11']
  t.strictSame(
    parseKeeper(upgrade),
    { readyFd: 11, adopted: { ...adopted, fuseFd: 9, requestsFd: undefined } },
    'its keeper, to the next version',
  )
})

t.test('0.1.0 is told what it understands', async t => {
  const adopted = { fuseFd: 9, serverPid: 812, options: DEFAULT_OPTIONS }
  t.strictSame(
    renderKeeperOrders({ readyFd: 11, adopted, withoutResend: true }),
    [
      ...['--ready-fd', '11', '--adopt', '{}', '--before', '812', '--fuse-fd', '9'],
      '--without-resend',
    ],
    'where the kernel sends nothing again',
  )
  t.notOk(renderKeeperOrders({ readyFd: 11, adopted }).includes('--without-resend'))
})

t.test('what is no order is refused by name', async t => {
  t.throws(() => parseKeeper(['--ready-fd', 'three']), /Cannot parse --ready-fd "three"/)
  t.throws(() => parseKeeper(['--ready-fd', '12345']), /Cannot parse --ready-fd "12345"/)
  t.throws(() => parseKeeper(['--adopt', '{}']), /Cannot parse --before ""/)
  t.throws(() => parseKeeper(['--adopt', '{}', '--before', '1', '--fuse-fd', '-1']), /--fuse-fd/)
  t.throws(() => parseKeeper(['--adopt', '[]', '--before', '1']), /Cannot read --adopt/)
  t.throws(() => parseServer([]), /Cannot read --options/)
})

t.test('only a version of the same form can take over', async t => {
  t.equal(parseSelfCheck(renderSelfCheck('9.9.9')), undefined)
  t.equal(parseSelfCheck('procveil 0.1.0\nprocveil handover 1\n'), undefined, '0.1.0')
  t.match(parseSelfCheck('procveil 9.9.9\nprocveil handover 12\n'), 'it does not say')
  t.match(parseSelfCheck(''), 'it does not say')
})

t.test('only a version that says so is handed the memory of requests', async t => {
  t.ok(takesRequests(renderSelfCheck('9.9.9')))
  t.notOk(takesRequests('procveil 0.1.0\nprocveil handover 1\n'))
  t.notOk(takesRequests('procveil 9.9.9\nprocveil handover 1\nprocveil requests 12\n'))
  const bytes = new Uint8Array(JOURNAL_SIZE)
  new Journal(bytes).clear()
  t.ok(Buffer.from(bytes).toString('latin1').startsWith(`${REQUESTS_FORM}\n`), 'its own form')
})
