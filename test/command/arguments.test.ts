import t from 'tap'
import { argumentsOf, parseFastCommand } from '../../src/command/arguments.ts'
import { DEFAULT_SETTINGS } from '../../src/service/default-settings.ts'
import { commandLine } from '../../src/service/settings.ts'

const settings = { mountPoint: '/m', runDirectory: '/r', config: '/c', log: '/l=x' }

t.test("a hook's command line", async t => {
  t.strictSame(parseFastCommand(['hook']), {
    name: 'hook',
    settings: DEFAULT_SETTINGS,
    strict: false,
    direct: false,
    timeoutSeconds: undefined,
    operands: [],
  })
  for (const option of [['--timeout', '50'], ['--timeout=50']]) {
    t.match(parseFastCommand(['hook', ...option, '--strict']), { strict: true, timeoutSeconds: 50 })
  }
  t.strictSame(
    parseFastCommand([
      '--log=/l=x',
      '--mountpoint',
      '/m',
      '--run-dir=/r',
      '--config=/c',
      'hook',
      '--strict',
    ]),
    {
      name: 'hook',
      settings,
      strict: true,
      direct: false,
      timeoutSeconds: undefined,
      operands: [],
    },
  )
})

t.test('what procveil-runtime says of a container', async t => {
  const said = ['--log', '/l', 'runtime-hooks', '/exe', '--bundle', '', '/runc', '/used']
  t.match(parseFastCommand(said), {
    name: 'runtime-hooks',
    settings: { log: '/l' },
    operands: ['/exe', '--bundle', '', '/runc', '/used'],
  })
  t.equal(parseFastCommand(said.slice(0, -1)), undefined)
})

t.test('what we start carries the same settings', async t => {
  t.strictSame(parseFastCommand(commandLine(settings, 'hook'))?.settings, settings)
  t.strictSame(parseFastCommand(commandLine(DEFAULT_SETTINGS, 'hook'))?.settings, DEFAULT_SETTINGS)
})

t.test('anything else is left to the full parser', async t => {
  for (const args of [
    [],
    ['serve'],
    ['--help'],
    ['--log'],
    ['--log', 'hook'],
    ['hook', '--help'],
    ['hook', '--timeout'],
    ['hook', '--timeout', 'soon'],
    ['worker', '--timeout', '5'],
    ['--other', 'x', 'hook'],
  ]) {
    t.equal(parseFastCommand(args), undefined, args.join(' '))
  }
})

t.test('the names of the old tools', async t => {
  t.strictSame(argumentsOf('/usr/local/bin/lxcfs-hook', ['--log', '/l']), ['--log', '/l', 'hook'])
  for (const name of ['procveil', '/x/isulad-lxcfs-toolkit', 'lxcfs-tools']) {
    t.strictSame(argumentsOf(name, ['remount', '-a']), ['remount', '-a'])
  }
})
