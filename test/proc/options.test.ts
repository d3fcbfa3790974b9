import t from 'tap'
import { DEFAULT_OPTIONS, filesToBind, parseOptions } from '../../src/proc/options.ts'
import { FILE_PATHS, findFile } from '../../src/proc/paths.ts'

t.test('options and their values', async t => {
  t.strictSame(parseOptions({ cpuQuota: 'off', topology: 'host' }, 'x'), {
    cpuQuota: 'off',
    topology: 'host',
  })
  t.strictSame(parseOptions({ files: ['meminfo', '/proc/stat'] }, 'x'), {
    files: ['proc/meminfo', 'proc/stat'],
  })
  t.strictSame(parseOptions({ files: 'online, pressure/cpu,meminfo,meminfo' }, 'x').files, [
    'sys/devices/system/cpu/online',
    'proc/pressure/cpu',
    'proc/meminfo',
  ])
  t.strictSame(parseOptions({ cgroup: '/pod/ctr:1' }, 'x'), { cgroup: '/pod/ctr:1' })
  t.strictSame(parseOptions({}, 'x'), {})
})

t.test('what is none is named, with those that are', async t => {
  const parse = (values: Record<string, unknown>) => () => parseOptions(values, '/etc/x.json')
  t.throws(parse({ cpuQuotas: 'on' }), {
    name: 'RangeError',
    message:
      /^Cannot use option "cpuQuotas" in \/etc\/x.json: it must be one of cgroup, .*cpuQuota, .*v1SwapTotal$/,
  })
  t.throws(parse({ toString: 'on' }), /option "toString"/)
  t.throws(parse({ __proto__: null, constructor: 'on' }), /option "constructor"/)
  t.throws(parse({ cpuQuota: 'maybe' }), /cpuQuota "maybe" in .*: it must be on or off$/)
  t.throws(parse({ cpuQuota: true }), /cpuQuota true in .*: it must be on or off$/)
  t.throws(parse({ topology: 'flat' }), /it must be openeuler or single-socket or host$/)
  t.throws(parse({ files: ['meminfo', 'version'] }), /files "version" .* proc\/meminfo/)
  t.throws(parse({ files: 7 }), /files 7/)
  for (const cgroup of ['', 'pod', '/pod/../x', '/pod/', '//', '/a\0', 7]) {
    t.throws(parse({ cgroup }), /it must be auto or an absolute path/, JSON.stringify(cgroup))
  }
})

t.test('every default is a value that may be given', async t => {
  t.strictSame(parseOptions({ ...DEFAULT_OPTIONS }, 'x'), DEFAULT_OPTIONS)
})

t.test('the possible CPUs are bound only for those who insist', async t => {
  const possible = 'sys/devices/system/cpu/possible'
  t.notOk(filesToBind(DEFAULT_OPTIONS).includes(possible))
  t.equal(filesToBind({ ...DEFAULT_OPTIONS, cpuDirectories: 'off' }).length, FILE_PATHS.length - 1)
  const stat = { ...DEFAULT_OPTIONS, files: ['proc/stat'] as const, maskPossible: 'on' as const }
  t.strictSame(filesToBind(stat), ['proc/stat', possible])
})

t.test('a directory is bound last, and only where its files are wanted', async t => {
  const directory = 'sys/devices/system/cpu'
  t.strictSame(filesToBind(DEFAULT_OPTIONS).slice(-2), [directory, 'sys/devices/system/node'])
  t.notOk(filesToBind({ ...DEFAULT_OPTIONS, cpuDirectories: 'off' }).includes(directory))
  t.notOk(filesToBind({ ...DEFAULT_OPTIONS, files: ['proc/stat'] }).includes(directory))
})

t.test('a file goes by its path or the short of it', async t => {
  t.equal(findFile('meminfo'), 'proc/meminfo')
  t.equal(findFile('/proc/pressure/io'), 'proc/pressure/io')
  t.equal(findFile('/sys/devices/system/cpu/online'), 'sys/devices/system/cpu/online')
  for (const name of ['', 'version', 'proc', 'info', undefined]) t.equal(findFile(name), undefined)
})
