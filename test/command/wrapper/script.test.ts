/** procveil-runtime by itself, under every shell that a system may have as sh, with programs that write down their calls. */

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { retry } from '../../kit/requirements.ts'
import { temporary } from '../../kit/temporary.ts'
import { type WrapperPlaces, writeWrapper } from '../../kit/wrapper.ts'

/** One of them is /bin/sh nearly everywhere. */
const SHELLS = ['/bin/dash', '/bin/bash --posix', '/bin/busybox sh'].filter(shell =>
  existsSync(shell.split(' ')[0] ?? ''),
)

/** What stands in PATH besides runtimes. */
const TOOLS = ['date', 'env', 'sleep', 'timeout']

interface Setup extends Partial<WrapperPlaces> {
  /** What the executable does once it has written down its call. */
  executableDoes?: string
  /** Names of runtimes in PATH. */
  runtimes?: readonly string[]
}

function setup(t: Test, { runtimes = ['runc'], executableDoes = '', ...places }: Setup = {}) {
  const directory = temporary(t)
  const at = (name: string) => join(directory, name)
  const program = (path: string, text: string) => {
    writeFileSync(path, `#!/bin/sh\n${text}\n`)
    chmodSync(path, 0o755)
    return path
  }
  const recorder = (path: string) =>
    program(path, `printf '%s\\n' "$0" "$@" >>${at('called')}; env >${at('env')}; exit 7`)
  mkdirSync(at('bin'))
  mkdirSync(at('tools'))
  for (const name of TOOLS) symlinkSync(`/usr/bin/${name}`, at(`tools/${name}`))
  for (const name of runtimes) recorder(at(`bin/${name}`))
  const executable = program(
    at('procveil'),
    `shift; printf '%s|' "$@" >>${at('asked')}; env >${at('asked-env')}; ${executableDoes}`,
  )
  const wrapper = writeWrapper(at('procveil-runtime'), {
    executable,
    choice: at('choice'),
    used: at('used'),
    ...places,
  })
  const read = (name: string) => (existsSync(at(name)) ? readFileSync(at(name), 'utf8') : '')
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    for (const name of ['called', 'asked', 'log']) rmSync(at(name), { force: true })
    const PATH = `${at('bin')}:${at('tools')}`
    const ran = spawnSync(wrapper, args, {
      encoding: 'utf8',
      cwd: directory,
      env: { PATH, ...env },
    })
    const [called = '', ...passed] = read('called').split('\n').slice(0, -1)
    const [, bundle, config] = read('asked').split('|')
    const asked = read('asked') === '' ? undefined : [bundle, config]
    return { ...ran, called: called.replace(`${directory}/`, ''), passed, asked, log: read('log') }
  }
  return { directory, at, run, read, recorder, executable, wrapper }
}

/** Command lines, with the bundle and the configuration file that they are about where they create a container. */
const LINES: readonly [string, ...(string | undefined)[]][] = [
  // containerd's shim, by go-runc, for docker and for Kubernetes.
  [
    '--root /var/run/docker/runtime-runc/moby --log /run/t/moby/1/log.json --log-format json --systemd-cgroup create --bundle /run/t/moby/1 --pid-file /run/t/moby/1/init.pid 1',
    '/run/t/moby/1',
    '',
  ],
  [
    '--root /run/containerd/runc/k8s.io --log /run/t/k8s.io/2/log.json --log-format json create --bundle /run/t/k8s.io/2 --pid-file /p --console-socket /tmp/pty/pty.sock 2',
    '/run/t/k8s.io/2',
    '',
  ],
  ['--root /r --log /l --log-format json start 1'],
  [
    '--root /r --log /l --log-format json exec --process /tmp/runc-process1 --detach --pid-file /p 1',
  ],
  ['--root /r --log /l --log-format json exec --process /tmp/p 1 runc create --bundle /b'],
  ['--root /r --log /l --log-format json kill 1 9'],
  ['--root /r --log /l --log-format json kill --all 1 9'],
  ['--root /r --log /l --log-format json delete --force create'],
  ['--root /r --log /l --log-format json state run'],
  ['--root /r --log /l --log-format json update --resources - 1'],
  ['--root /r --log /l --log-format json events --stats create'],
  ['--root create --log run state 1'],
  ['--root run create --bundle /b 1', '/b', ''],
  ['--version'],
  ['-v'],
  ['features'],
  [''],
  // podman's conmon.
  [
    '--systemd-cgroup --log-format=json --log=/run/c/oci-log create --bundle /v/userdata --pid-file /run/c/pidfile 3',
    '/v/userdata',
    '',
  ],
  ['--root=/run/runc --cgroup-manager cgroupfs create -b /b 3', '/b', ''],
  ['--log-level debug --root /r --rootless=true create --console-socket=/s -b/b 3', '/b', ''],
  ['exec --pid-file /p --process /q --tty -d create'],
  ['start run'],
  // By hand: runc takes options with one hyphen, too, and the last one counts.
  ['run 4', '.', ''],
  ['-root /r -log /l -log-format json run -d -bundle /b 4', '/b', ''],
  ['--debug run --keep --preserve-fds 2 --bundle=/a -b=/b 4', '/b', ''],
  ['run --bundle /b=c --no-pivot 4', '/b=c', ''],
  ['-- create -b /b -- 4', '/b', ''],
  ['run -f /x.json -b /b 4', '/b', '/x.json'],
  ['run --config=x.json 4', '.', 'x.json'],
  ['create --pid-file --bundle 4', '.', ''],
  ['create --pid-file -b -b /b create', '/b', ''],
  ['-s -l /l -r /r create --bundle /b 4', '/b', ''],
  // Options that nobody knows yet.
  ['--new create --bundle /b 5', '/b', ''],
  ['--new create-it create --bundle /b 5', '/b', ''],
  ['--new --newer=1 create --newest 3 --bundle /b 5', '/b', ''],
  ['--new state create'],
  ['--new value state create'],
]

for (const shell of SHELLS) {
  t.test(`a container is created by ${shell}`, async t => {
    const { run, at } = setup(t, { shell })
    for (const [line, ...wanted] of LINES) {
      const args = line === '' ? [] : line.split(' ')
      const ran = run(args)
      t.strictSame(ran.asked, wanted.length > 0 ? wanted : undefined, line)
      t.strictSame(ran.passed, args, 'the arguments stay')
      t.match(ran, { called: 'bin/runc', status: 7, stdout: '', stderr: '' })
    }
    const words = ['create', '--bundle', ' a b\n*$(x)"\\', '', "it's"]
    const ran = run(words)
    t.strictSame(ran.passed.join('\n'), words.join('\n'), 'words stay words')
    t.strictSame(ran.asked, [words[2], ''])
    t.notOk(existsSync(at('log')))
  })

  t.test(`the reason stands in the log, by ${shell}`, async t => {
    const message = 'the container sees its host in /proc'
    const said = setup(t, {
      shell,
      executableDoes: `printf '%s' 'no \\"b\\"'; echo noise >&2; exit 1`,
    })
    const json = ['--log', 'log', '--log-format', 'json', 'create', '1']
    const { log, ...ran } = said.run(json)
    t.match(ran, { called: 'bin/runc', passed: json, status: 7, stdout: '', stderr: '' })
    const line = JSON.parse(log)
    t.strictSame(Object.keys(line), ['level', 'msg', 'time'])
    t.match(line, { level: 'warning', msg: `procveil-runtime: ${message}: no "b"` })
    t.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)

    const text = /^time="\d{4}-.*Z" level=warning msg="procveil-runtime: .*: no \\"b\\""\n$/
    t.match(said.run(['--log=file:log', 'create', '1']).log, text)
    t.match(said.run(['create', '1']).stderr, text)
    t.match(said.run(['--log', '/dev/stderr', 'run', '1']).stderr, text)
    t.match(said.run(['--log', '/nonexistent/log', 'run', '1']), { status: 7, stderr: '' })
    t.match(said.run(['--log=log', 'state', '1']), { log: '', stderr: '' })

    const quiet = setup(t, { shell, executableDoes: 'exit 3' })
    t.match(quiet.run(json).log, `${message}: ${quiet.executable} ended with status 3`)
    const gone = setup(t, { shell, executable: '/gone/procveil' })
    t.match(gone.run(json), { status: 7, log: /there is no executable \/gone\/procveil/ })
  })

  t.test(`an executable that hangs is waited for, but not for ever, by ${shell}`, async t => {
    const { run, at } = setup(t, {
      shell,
      seconds: 1,
      executableDoes: `echo $$ >"$PWD/pid"; exec sleep 100`,
    })
    const ran = run(['--log', 'log', 'create', '1'])
    t.match(ran, { status: 7, called: 'bin/runc', stderr: '', log: /took longer than 1 s/ })
    const pid = Number(readFileSync(at('pid'), 'utf8'))
    await retry(() => {
      if (existsSync(`/proc/${pid}`)) throw new Error('Cannot go on: the executable is left')
    })
  })

  t.test(`what the caller gave is passed on by ${shell}`, async t => {
    const { run, read } = setup(t, { shell })
    const env = {
      A: '1',
      NOTIFY_SOCKET: '/n',
      LISTEN_FDS: '1',
      XDG_RUNTIME_DIR: '',
      BUN_OPTIONS: '--x',
      log: 'l',
      IFS: 'x',
    }
    run(['create', '1'], env)
    // Values of tap's have several lines.
    const lines = read('env')
      .split('\n')
      .filter(line => line.includes('='))
    const seen = Object.fromEntries(lines.map(line => line.split('=')))
    const { IFS: _, ...others } = env
    t.match(seen, others)
    // What shells add by themselves, dash here and in the runtime that is one.
    const known = new Set([...Object.keys(env), 'PATH', 'PWD', 'OLDPWD', 'SHLVL', '_', ''])
    const isTap = (name: string) => name.startsWith('_TAPJS') || name === 'NODE_OPTIONS'
    t.strictSame(
      Object.keys(seen).filter(name => !known.has(name) && !isTap(name)),
      [],
    )
    t.notMatch(read('asked-env'), /BUN|NOTIFY|LISTEN/, 'our executable gets nothing of it')
  })

  t.test(`a runtime is found by ${shell}`, async t => {
    const several = setup(t, { shell, runtimes: ['crun', 'youki'] })
    t.equal(several.run(['state', '1']).called, 'bin/crun')
    several.recorder(several.at('other'))
    const choose = (text: string) => writeFileSync(several.at('choice'), text)
    choose(`# comment\n\n  ${several.at('other')}  \ncrun\n`)
    t.equal(several.run(['state', '1']).called, 'other', 'the first line that is no comment')
    choose('youki')
    t.equal(several.run(['state', '1']).called, 'bin/youki', 'by its name')
    choose('/gone/runc\n')
    t.match(several.run(['state', '1']), { called: 'bin/crun', stderr: '' })
    t.match(several.run(['--log=log', 'create', '1']), {
      called: 'bin/crun',
      log: /level=warning msg="procveil-runtime: what \/.*\/choice names is no executable/,
    })
    choose('# nothing')
    t.match(several.run(['--log=log', 'create', '1']), { called: 'bin/crun', log: '' })

    // What the last container was made by is known to no other runtime.
    writeFileSync(several.at('used'), `${several.at('bin/youki')}\n`)
    t.equal(several.run(['state', '1']).called, 'bin/youki')
    choose('crun')
    t.equal(several.run(['state', '1']).called, 'bin/crun', 'what is configured counts more')
    t.equal(several.run(['create', '1']).called, 'bin/crun')
    t.match(several.read('asked'), `|${several.at('bin/crun')}|${several.at('used')}|`)

    const none = setup(t, { shell, runtimes: [] })
    const env = { PATH: '/nonexistent' }
    t.match(none.run(['state', '1'], env), {
      status: 1,
      stderr: /Cannot find a runtime: there is no runc/,
    })
  })

  t.test(`it never calls itself by ${shell}`, async t => {
    const link = setup(t, { shell, runtimes: ['runc'] })
    mkdirSync(link.at('first'))
    symlinkSync(link.wrapper, link.at('first/runc'))
    const env = { PATH: `${link.at('first')}:${link.at('bin')}:${link.at('tools')}` }
    t.equal(link.run(['state', '1'], env).called, 'bin/runc', 'a link in PATH')
    rmSync(link.at('first/runc'))
    copyFileSync(link.wrapper, link.at('first/runc'))
    t.equal(link.run(['state', '1'], env).called, 'bin/runc', 'a copy in PATH')
    mkdirSync(link.at('second'))
    copyFileSync(link.wrapper, link.at('second/runc'))
    const twice = { PATH: `${link.at('second')}:${env.PATH}` }
    t.equal(link.run(['state', '1'], twice).called, 'bin/runc', 'two copies')
    writeFileSync(link.at('choice'), link.wrapper)
    t.equal(link.run(['state', '1'], env).called, 'bin/runc', 'its own path')

    // As nvidia-container-runtime does with the first runc that it finds.
    writeFileSync(link.at('again'), `#!/bin/sh\nexec '${link.wrapper}' "$@"\n`)
    chmodSync(link.at('again'), 0o755)
    writeFileSync(link.at('choice'), link.at('again'))
    const args = ['--log=log', 'create', '1']
    t.match(
      link.run(args),
      { called: 'bin/runc', passed: args, log: '' },
      'a runtime that calls it',
    )
    t.equal(link.read('asked').split('runtime-hooks').length, 1)
  })
}
