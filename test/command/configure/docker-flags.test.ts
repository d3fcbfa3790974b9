import t from 'tap'
import { parseDockerFlags } from '../../../src/command/configure/docker-flags.ts'
import { WRAPPER } from '../../../src/command/hooks/entry.ts'
import { siteOf, withoutRecords } from './site.ts'

const CONFIG = 'etc/docker/daemon.json'
const NVIDIA = '/usr/bin/nvidia-container-runtime'

/** What systemd 252 prints of a unit. */
const shown = (...flags: readonly string[]) =>
  `ExecStart={ path=/usr/bin/dockerd ; argv[]=/usr/bin/dockerd -H fd:// ${flags.join(' ')} ; ignore_errors=no ; pid=0 }\n`

const none = { runtimes: {}, defaultRuntime: undefined, dataRoot: undefined }

t.test('flags are found in a command line', async t => {
  const parse = (...flags: readonly string[]) => parseDockerFlags(shown(...flags), () => undefined)
  t.strictSame(parse(), none)
  t.strictSame(
    parseDockerFlags('', () => undefined),
    none,
  )
  t.strictSame(parse('--default-runtime=crun'), {
    runtimes: {},
    defaultRuntime: 'crun',
    dataRoot: undefined,
  })
  t.strictSame(
    parse('--default-runtime', 'crun', '--data-root=/d', '--add-runtime', `nvidia=${NVIDIA}`),
    {
      runtimes: { nvidia: NVIDIA },
      defaultRuntime: 'crun',
      dataRoot: '/d',
    },
  )
  t.strictSame(parse(`--add-runtime=nvidia=${NVIDIA}`, '"--add-runtime=a=/b"'), {
    runtimes: { nvidia: NVIDIA, a: '/b' },
    defaultRuntime: undefined,
    dataRoot: undefined,
  })
  t.strictSame(parse('--label=x--default-runtime=a', '--no-default-runtime=b'), none)
})

t.test('the environment counts where the command line has a variable', async t => {
  const file = '# DOCKER_OPTS="--default-runtime=no"\nDOCKER_OPTS="--add-runtime a=/b"\n'
  const read = (path: string) => (path === '/etc/default/docker' ? file : undefined)
  const others =
    'Environment=X=--default-runtime=crun\nEnvironmentFiles=/etc/default/docker (ignore_errors=yes)\n'
  t.strictSame(parseDockerFlags(shown('$DOCKER_OPTS') + others, read), {
    runtimes: { a: '/b' },
    defaultRuntime: 'crun',
    dataRoot: undefined,
  })
  t.strictSame(parseDockerFlags(shown() + others, read), none)
})

const started = (before: string, ...flags: readonly string[]) =>
  siteOf(
    t,
    { [CONFIG]: before },
    { systemctl: args => ({ stdout: args[0] === 'show' ? shown(...flags) : '' }) },
  )

t.test('a default runtime of the command line and one of the file exclude each other', async t => {
  const site = started('{}', '--default-runtime=nvidia', `--add-runtime=nvidia=${NVIDIA}`)
  t.throws(() => site.configure('docker', { setAsDefault: true }), {
    message: /started with --default-runtime nvidia, and does not start with both; take that out/,
  })
  t.strictSame(site.files(), { [CONFIG]: '{}' })
  site.configure('docker', { asRuntime: true })
  const settings = { runtimes: { procveil: { path: WRAPPER } } }
  t.strictSame(JSON.parse(site.host.read(CONFIG)), settings)
  t.equal(site.host.read('etc/procveil/runtime'), `${NVIDIA}\n`, 'it is behind ours all the same')
  site.configure('docker', { undo: true })
  t.strictSame(withoutRecords(site.files()), { [CONFIG]: '{}' })
})

t.test('runtimes of the command line are lost by a reload', async t => {
  const before = '{"default-runtime": "nvidia"}'
  const site = started(before, `--add-runtime=nvidia=${NVIDIA}`)
  const said = site.configure('docker', { setAsDefault: true, restart: true })
  t.match(said, /note: dockerd is started with --add-runtime for nvidia, which it forgets/)
  t.match(said, /^restarted docker$/m)
  t.equal(site.host.read('etc/procveil/runtime'), `${NVIDIA}\n`)
  t.match(started('{}').configure('docker', { setAsDefault: true, restart: true }), /^reloaded/m)
  const failing = siteOf(t, { [CONFIG]: '{}' }, { systemctl: () => ({ status: 1 }) })
  t.match(failing.configure('docker', { setAsDefault: true }), /systemctl reload docker/)
})
