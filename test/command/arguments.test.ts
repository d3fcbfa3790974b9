import t from 'tap'
import { argumentsOf, parseHookArguments } from '../../src/command/arguments.ts'
import { commandLine, DEFAULT_SETTINGS } from '../../src/service/settings.ts'

const settings = { mountPoint: '/m', runDirectory: '/r', config: '/c', log: '/l=x' }

t.test("a hook's command line", async t => {
  t.strictSame(parseHookArguments(['hook']), { settings: DEFAULT_SETTINGS, strict: false })
  t.strictSame(
    parseHookArguments([
      '--log=/l=x',
      '--mountpoint',
      '/m',
      '--run-dir=/r',
      '--config=/c',
      'hook',
      '--strict',
    ]),
    {
      settings,
      strict: true,
    },
  )
})

t.test('what we start carries the same settings', async t => {
  t.strictSame(parseHookArguments(commandLine(settings, 'hook'))?.settings, settings)
  t.strictSame(
    parseHookArguments(commandLine(DEFAULT_SETTINGS, 'hook'))?.settings,
    DEFAULT_SETTINGS,
  )
})

t.test('anything else is left to the full parser', async t => {
  for (const args of [
    [],
    ['serve'],
    ['--help'],
    ['--log'],
    ['--log', 'hook'],
    ['hook', '--help'],
    ['--other', 'x', 'hook'],
  ]) {
    t.equal(parseHookArguments(args), undefined, args.join(' '))
  }
})

t.test('the names of the old tools', async t => {
  t.strictSame(argumentsOf('/usr/local/bin/lxcfs-hook', ['--log', '/l']), ['--log', '/l', 'hook'])
  for (const name of ['procveil', '/x/isulad-lxcfs-toolkit', 'lxcfs-tools']) {
    t.strictSame(argumentsOf(name, ['remount', '-a']), ['remount', '-a'])
  }
})
