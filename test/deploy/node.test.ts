/** What deploy/node.sh decides, on a node that is a folder. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execaSync } from 'execa'
import t, { type Test } from 'tap'
import { isInPath, retry, skipFor } from '../kit/requirements.ts'
import { temporary } from '../kit/temporary.ts'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const SHELLS = [['sh'], ...(isInPath('busybox') ? [['busybox', 'ash']] : [])]
const RULES = '{"pods": "all"}'
const LONG_MS = 20_000

class Node {
  readonly directory: string
  readonly #shell: readonly string[]
  readonly #children = new Set<ChildProcess>()

  constructor(t: Test, shell: readonly string[]) {
    this.#shell = shell
    this.directory = temporary(t)
    mkdirSync(join(this.directory, 'host/run/systemd/system'), { recursive: true })
    this.release('0.2.0')
    this.write('host/run/nri/nri.sock', '')
    // As in an image where /var/run is a link.
    mkdirSync(join(this.directory, 'run/secrets'), { recursive: true })
    symlinkSync(join(this.directory, 'run'), join(this.directory, 'var-run'))
    t.teardown(() => {
      for (const { pid } of this.#children) endGroup(pid)
    })
  }

  /** Fills the folder of a release, as an image has it. */
  release(version: string): void {
    for (const name of ['runtime', 'systemd', 'config', 'cdi', 'install.sh']) {
      cpSync(join(PROJECT, name), join(this.directory, 'image', name), { recursive: true })
    }
    this.write('image/procveil', `#!/bin/sh\necho ${version}\n`)
    chmodSync(join(this.directory, 'image/procveil'), 0o755)
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.directory, path)), { recursive: true })
    writeFileSync(join(this.directory, path), text)
  }

  read(path: string): string | undefined {
    const file = join(this.directory, path)
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined
  }

  /** The commands that were run since the last call. */
  ran(): string[] {
    const lines = this.read('ran')?.trim().split('\n') ?? []
    rmSync(join(this.directory, 'ran'), { force: true })
    return lines
  }

  start(command: string, environment: Readonly<Record<string, string>> = {}): Pod {
    const { directory } = this
    const [shell = '', ...args] = this.#shell
    const scratch = join(directory, environment.POD ?? 'pod')
    mkdirSync(scratch, { recursive: true })
    const child = spawn(shell, [...args, join(PROJECT, 'deploy/node.sh'), command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: {
        PATH: process.env.PATH ?? '',
        CHROOT: join(PROJECT, 'test/deploy/fake-chroot'),
        NODE: directory,
        RELEASE: join(directory, 'image'),
        HOST_ROOT: join(directory, 'host'),
        SCRATCH: scratch,
        KUBERNETES_SERVICE_HOST: '127.0.0.1',
        NAMESPACE: 'kube-system',
        DAEMONSET: 'procveil',
        CREDENTIALS: join(directory, 'var-run/secrets'),
        POD: 'pod',
        RULES,
        ...environment,
      },
    })
    this.#children.add(child)
    return new Pod(child)
  }

  /** Waits until a pod waits for the one that works on the node. */
  async untilWaits(): Promise<void> {
    await retry(() => {
      if (this.read('waits') === undefined) throw new Error('none waits')
    }, LONG_MS)
    rmSync(join(this.directory, 'waits'))
  }

  /** A pod that has done its work, and waits. */
  async settled(environment: Readonly<Record<string, string>> = {}): Promise<Pod> {
    const pod = this.start('run', environment)
    await pod.says('serves this node')
    return pod
  }
}

/** Ends what a script has started and not waited for. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // Nothing is left of it.
  }
}

class Pod {
  readonly #child: ChildProcess
  output = ''

  constructor(child: ChildProcess) {
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', piece => {
        this.output += piece
      })
    }
  }

  async says(text: string): Promise<void> {
    await retry(() => {
      if (this.output.includes(text)) return true
      if (this.#child.exitCode !== null) return false
      throw new Error(`${text} is not in: ${this.output}`)
    }, LONG_MS)
    if (!this.output.includes(text)) throw new Error(`${text} is not in: ${this.output}`)
  }

  async status(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
    return this.#child.exitCode
  }

  async end(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    return this.status()
  }
}

const shellcheck = skipFor(
  isInPath('shellcheck') ? undefined : 'needs shellcheck: apt-get install shellcheck',
)
t.test('shellcheck finds nothing', shellcheck, async t => {
  const scripts = ['deploy/node.sh', 'test/deploy/fake-chroot'].map(path => join(PROJECT, path))
  t.equal(execaSync('shellcheck', scripts, { reject: false }).stdout, '')
})

for (const shell of SHELLS) {
  t.test(shell.join(' '), async t => {
    t.test('a node gets the files, the unit and the rules', async t => {
      const node = new Node(t, shell)
      const pod = await node.settled({ OPTIONS: '{"loadavg": "off"}' })
      const enable = 'systemctl enable --quiet --now procveil.service'
      t.strictSame(node.ran(), ['install', enable, 'systemctl reload procveil.service'])
      t.equal(node.read('host/etc/procveil/nri.json'), `${RULES}\n`)
      t.equal(node.read('host/etc/procveil/config.json'), '{"loadavg": "off"}\n')
      node.write('existence', '3')
      t.equal(await pod.end(), 0)
      t.match(pod.output, 'the DaemonSet is there')
      t.strictSame(node.ran(), [], 'nothing is taken away')

      const next = await node.settled({ OPTIONS: '{"loadavg": "off"}', POD: 'next' })
      t.strictSame(node.ran(), [enable], 'and nothing is done again')
      t.equal(await next.end(), 0)
    })

    t.test('another version is installed over the one that is there', async t => {
      const node = new Node(t, shell)
      node.write('existence', '3')
      await (await node.settled()).end()
      node.ran()
      node.release('0.3.0')
      const pod = await node.settled({ POD: 'next' })
      t.match(pod.output, '0.3.0 serves this node')
      t.equal(node.ran()[0], 'install')
      await pod.end()
    })

    t.test('it is taken away when the DaemonSet was deleted', async t => {
      const left = async (existence: string, isHeard: boolean) => {
        const node = new Node(t, shell)
        const pod = await node.settled()
        node.ran()
        node.write('existence', existence)
        if (isHeard) node.write('gone', '')
        t.equal(await pod.end(), 0)
        return { ran: node.ran(), rules: node.read('host/etc/procveil/nri.json'), node, pod }
      }
      for (const [existence, isHeard] of [
        ['0', false],
        ['0', true],
        ['1', true],
      ] as const) {
        const { ran, rules, node, pod } = await left(existence, isHeard)
        t.strictSame(ran, ['uninstall'], `${existence} ${isHeard}`)
        t.match(pod.output, 'is taken away')
        t.equal(rules, undefined)
        for (const path of ['etc/procveil', 'var/lib/procveil', 'usr/libexec/procveil']) {
          t.notOk(existsSync(join(node.directory, 'host', path)), path)
        }
      }
      for (const [existence, isHeard] of [
        ['1', false],
        ['127', false],
        ['3', true],
      ] as const) {
        const { ran, rules } = await left(existence, isHeard)
        t.strictSame(ran, [], `${existence} ${isHeard}`)
        t.equal(rules, `${RULES}\n`)
      }
    })

    t.test('the pod that came last looks after a node', async t => {
      const node = new Node(t, shell)
      const [first, second] = [await node.settled(), await node.settled({ POD: 'second' })]
      node.ran()
      node.write('existence', '0')
      t.equal(await first.end(), 0)
      t.match(first.output, 'another pod')
      t.strictSame(node.ran(), [])
      t.equal(await second.end(), 0)
      t.strictSame(node.ran(), ['uninstall'])
    })

    t.test('a pod that comes while another one takes everything away waits for that', async t => {
      const node = new Node(t, shell)
      const first = await node.settled()
      node.write('lock', '')
      const second = node.start('run', { POD: 'second' })
      await node.untilWaits()
      // The other one goes on.
      for (const path of ['usr/libexec/procveil', 'var/lib/procveil', 'run/procveil']) {
        rmSync(join(node.directory, 'host', path), { recursive: true })
      }
      node.ran()
      rmSync(join(node.directory, 'lock'))
      await second.says('serves this node')
      t.equal(node.ran()[0], 'install')
      t.equal(node.read('host/var/lib/procveil/node/owner'), 'second\n')
      node.write('existence', '3')
      await first.end()
      await second.end()
    })

    t.test('a pod that came while another one was about to begin keeps the node', async t => {
      const node = new Node(t, shell)
      const first = await node.settled()
      node.ran()
      node.write('existence', '0')
      node.write('lock', '')
      const ended = first.end()
      await node.untilWaits()
      node.write('host/var/lib/procveil/node/owner', 'second\n')
      rmSync(join(node.directory, 'lock'))
      t.equal(await ended, 0)
      t.match(first.output, 'another pod')
      t.strictSame(node.ran(), [])
    })

    t.test('a pod stays where something failed, and takes everything away', async t => {
      const enable = 'systemctl enable --quiet --now procveil.service'
      const configure = 'procveil configure containerd --set-as-default --restart'
      for (const fails of ['install', enable, configure]) {
        const node = new Node(t, shell)
        node.write('fails', `${fails}\n`)
        const pod = node.start('run', { MODE: 'base-spec' })
        await pod.says('tries again')
        const ready = node.start('ready')
        t.equal(await ready.status(), 1)
        t.match(ready.output, 'not installed and configured')
        node.ran()
        node.write('existence', '0')
        t.equal(await pod.end(), 0)
        t.equal(node.ran().at(-1), 'uninstall', fails)
        t.notOk(existsSync(join(node.directory, 'host/var/lib/procveil')))
      }
    })

    t.test('what failed is tried again, and what has gone is installed again', async t => {
      const node = new Node(t, shell)
      node.write('fails', 'install\n')
      const pod = node.start('run', { INTERVAL: '0.2' })
      await pod.says('tries again')
      rmSync(join(node.directory, 'fails'))
      await pod.says('serves this node')
      node.ran()
      rmSync(join(node.directory, 'host/usr/libexec/procveil'), { recursive: true })
      await retry(() => {
        if (node.ran()[0] !== 'install') throw new Error('it is not installed')
      }, LONG_MS)
      node.write('existence', '3')
      await pod.end()
    })

    t.test('the credentials are those of the container, whatever links the node has', async t => {
      const node = new Node(t, shell)
      node.write('existence', '3')
      await (await node.settled()).end()
      const credentials = join(realpathSync(node.directory), 'run/secrets')
      t.match(node.read('asked-with'), new RegExp(`^/proc/\\d+/root${credentials}\n$`))
    })

    t.test('a pod that another DaemonSet has adopted belongs to that one', async t => {
      const node = new Node(t, shell)
      const isHeard = () => existsSync(join(node.directory, 'pod/deleted'))
      const untilHeard = (heard: boolean) =>
        retry(() => {
          if (isHeard() !== heard) throw new Error(`it has ${heard ? 'not ' : ''}heard of it`)
        }, LONG_MS)
      node.write('existence', '1')
      const pod = await node.settled({ INTERVAL: '0.2' })
      node.write('gone', '')
      await untilHeard(true)
      rmSync(join(node.directory, 'gone'))
      node.write('existence', '3')
      await untilHeard(false)
      node.write('existence', '1')
      node.ran()
      await pod.end()
      t.match(pod.output, 'does not say that the DaemonSet was deleted')
      t.strictSame(node.ran(), [])
    })

    t.test('without an API server nothing is taken away', async t => {
      const node = new Node(t, shell)
      const pod = await node.settled({ KUBERNETES_SERVICE_HOST: '' })
      node.ran()
      t.equal(await pod.end(), 0)
      t.strictSame(node.ran(), [])
      const removal = node.start('remove')
      t.equal(await removal.status(), 0, removal.output)
      t.strictSame(node.ran(), ['uninstall'])
    })

    t.test('what others have written stays', async t => {
      const node = new Node(t, shell)
      const config = '{ "loadavg": "off" }\n'
      node.write('host/etc/procveil/config.json', config)
      const pod = await node.settled({ OPTIONS: '{"swap": "off"}' })
      t.match(pod.output, 'left /etc/procveil/config.json alone')
      node.write('host/etc/procveil/nri.json', '{ "pods": "annotated" }\n')
      node.write('existence', '0')
      await pod.end()
      t.equal(node.read('host/etc/procveil/config.json'), config)
      t.match(pod.output, 'kept /etc/procveil/nri.json')
    })

    t.test('options that the service refuses are taken back', async t => {
      const node = new Node(t, shell)
      node.write('existence', '3')
      await (await node.settled()).end()
      node.write('fails', 'systemctl reload procveil.service\n')
      const pod = node.start('run', { OPTIONS: '{"swap": "perhaps"}', POD: 'next' })
      await pod.says('tries again')
      t.match(pod.output, 'Cannot have procveil read /etc/procveil/config.json')
      t.equal(node.read('host/etc/procveil/config.json'), '{}\n')
    })

    t.test('the runtime is configured, and another mode takes the one before back', async t => {
      const node = new Node(t, shell)
      node.write('existence', '3')
      const ranFor = async (environment: Record<string, string>) => {
        await (await node.settled(environment)).end()
        return node.ran().filter(line => line.startsWith('procveil configure'))
      }
      const configure = (...words: string[]) => ['procveil configure', ...words].join(' ')
      t.strictSame(await ranFor({ MODE: 'runtimeclass' }), [configure('containerd --restart')])
      const set = configure('containerd --set-as-default --restart')
      const undo = configure('containerd --undo --restart')
      t.strictSame(await ranFor({ MODE: 'base-spec' }), [undo, set])
      t.strictSame(await ranFor({ MODE: 'base-spec' }), [set], 'which does nothing twice')
      t.strictSame(await ranFor({ MODE: 'nri' }), [undo])
      node.write('host/run/crio/crio.sock', '')
      t.strictSame(await ranFor({ MODE: 'base-spec' }), [configure('crio')])
      t.equal(node.read('host/etc/procveil/nri.json'), undefined)

      const refused = node.start('run', { MODE: 'runtimeclass' })
      await refused.says('tries again')
      t.match(refused.output, 'Cannot configure CRI-O by a RuntimeClass')
      t.equal(await refused.end(), 0)

      node.write('existence', '0')
      await (await node.settled({ MODE: 'base-spec' })).end()
      t.strictSame(node.ran().slice(-2), [configure('crio --undo'), 'uninstall'])
    })

    t.test('a restart of the runtime that failed is made up for', async t => {
      const node = new Node(t, shell)
      node.write('existence', '3')
      const configure = 'procveil configure containerd --set-as-default --restart'
      const restart = 'systemctl restart containerd.service'
      node.write('fails', `${configure}\n`)
      const pod = node.start('run', { MODE: 'base-spec', INTERVAL: '0.2' })
      await pod.says('tries again')
      node.write('fails', `${restart}\n`)
      await retry(() => {
        if (!node.ran().includes(restart)) throw new Error('it is not restarted')
      }, LONG_MS)
      t.notMatch(pod.output, 'serves this node')
      rmSync(join(node.directory, 'fails'))
      await pod.says('serves this node')
      await pod.end()
      node.ran()
      await (await node.settled({ MODE: 'base-spec', POD: 'next' })).end()
      t.notOk(node.ran().includes(restart), 'once')
    })

    t.test('a node that cannot have it says why', async t => {
      const refuse = async (
        prepare: (node: Node) => void,
        message: RegExp,
        environment: Record<string, string> = {},
      ) => {
        const node = new Node(t, shell)
        prepare(node)
        const pod = node.start('run', environment)
        t.equal(await pod.status(), 1, pod.output)
        t.match(pod.output, message)
        t.strictSame(node.ran(), [])
        t.notOk(existsSync(join(node.directory, 'host/var/lib/procveil')))
      }
      const nothing = () => undefined
      await refuse(nothing, /MODE is webhook/, { MODE: 'webhook' })
      await refuse(nothing, /Cannot configure docker/, { MODE: 'base-spec', RUNTIME: 'docker' })
      await refuse(
        ({ directory }) => rmSync(join(directory, 'host/run/systemd/system'), { recursive: true }),
        /systemd does not run there/,
      )
      await refuse(
        node => node.write('host/usr/libexec/procveil/procveil', 'of a package'),
        /was not installed by this DaemonSet/,
      )
      // No directory can be made in a file, as none can where all is read-only.
      await refuse(node => node.write('host/usr/libexec', ''), /its \/usr is read-only/)
      const unwritable = 'host/usr/libexec/procveil/.writable/as-a-directory'
      // touch(1) takes a directory as well, and rm(1) does not.
      await refuse(node => node.write(unwritable, ''), /its \/usr is read-only/)
      const state = 'host/var/lib'
      await refuse(node => node.write(state, ''), /Cannot write \/var\/lib\/procveil\/node\/owner/)
    })

    t.test("a node's own links lead to its own directories", async t => {
      const node = new Node(t, shell)
      const host = join(node.directory, 'host')
      // Not there in this container, nor on this machine.
      for (const [path, target] of [
        ['etc', '/on-a-node/etc'],
        ['var/lib', '/on-a-node/lib'],
      ] as const) {
        mkdirSync(join(host, target), { recursive: true })
        mkdirSync(dirname(join(host, path)), { recursive: true })
        symlinkSync(target, join(host, path))
      }
      const pod = await node.settled()
      t.equal(node.read('host/on-a-node/etc/procveil/nri.json'), `${RULES}\n`)
      t.equal(node.read('host/on-a-node/lib/procveil/node/owner'), 'pod\n')
      node.write('host/on-a-node/lib/lxc/lxcfs/proc/uptime', '1.00 1.00\n')
      const ready = node.start('ready')
      t.equal(await ready.status(), 0, ready.output)
      node.write('existence', '0')
      t.equal(await pod.end(), 0)
      t.strictSame(readdirSync(join(host, 'on-a-node/etc')), [])
      t.notOk(existsSync(join(host, 'on-a-node/lib/procveil')))
      t.notOk(existsSync('/on-a-node'))
    })

    t.test('a pod is ready when the node has what it was asked for', async t => {
      const node = new Node(t, shell)
      const missing = async () => {
        const pod = node.start('ready')
        return (await pod.status()) === 0 ? undefined : pod.output
      }
      t.match(await missing(), 'not installed')
      const pod = await node.settled()
      t.match(await missing(), 'not served')
      node.write('host/var/lib/lxc/lxcfs/proc/uptime', '1.00 1.00\n')
      t.equal(await missing(), undefined)
      rmSync(join(node.directory, 'host/run/nri/nri.sock'))
      t.match(await missing(), 'NRI is on by default since containerd 2.0')
      node.write('existence', '3')
      await pod.end()
    })
  })
}
