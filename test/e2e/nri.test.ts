/** The NRI plugin of the service, beside a runtime that the test pretends to be. */

import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { type Box, box, started } from '../kit/box.ts'
import {
  type CreateAnswer,
  FakeRuntime,
  type HookMessage,
  type PluginConnection,
} from '../kit/nri-runtime.ts'
import { needs, retry } from '../kit/requirements.ts'
import type { HookEntry } from '../kit/runc-config.ts'
import { type Site, site } from '../kit/site.ts'
import { countSleeps } from '../kit/sleeps.ts'

interface Started {
  here: Site
  runtime: FakeRuntime
  rules: string
}

/** A service whose plugin looks for the socket of the fake runtime. */
async function serving(
  t: Test,
  rules: object = { pods: 'all' },
  prepare: (here: Site) => void = () => {},
): Promise<Started> {
  const here = site(t)
  prepare(here)
  const etc = join(here.directory, 'etc')
  mkdirSync(etc)
  // Above it nothing else changes.
  const run = join(here.directory, 'etc', 'run')
  mkdirSync(run)
  const runtime = new FakeRuntime(join(run, 'nri', 'nri.sock'))
  t.teardown(() => runtime.stop())
  const file = join(etc, 'nri.json')
  writeFileSync(file, JSON.stringify({ socket: runtime.path, ...rules }))
  writeFileSync(join(etc, 'config.json'), '{}')
  const options = [...here.options, '--config', join(etc, 'config.json')]
  // The site ends it.
  void execa(here.executable, [...options, 'serve'], { reject: false, stdio: 'ignore' })
  await retry(() => {
    if (!here.readLog().includes(`serves ${here.mountPoint}`)) throw new Error('it does not serve')
  })
  return { here, runtime, rules: file }
}

const plugins = (here: Site) =>
  here.processes().filter(({ args }) => args.includes('nri') && !args.includes('serve'))

const untilNone = (find: () => unknown[]) =>
  retry(() => {
    const found = find()
    if (found.length > 0) throw new Error(`there are still ${JSON.stringify(found)}`)
  })

const POD = { id: 'pod', name: 'web', namespace: 'default' }

/** The annotations and hooks that the runtime writes into the container's config.json. */
function applied({ adjust }: CreateAnswer) {
  const hooks = Object.entries(adjust?.hooks ?? {}).filter(([, entries]) => entries.length > 0)
  const stage = (name: string) => name.replace(/_(.)/, (_, letter) => letter.toUpperCase())
  return {
    annotations: adjust?.annotations ?? {},
    hooks: Object.fromEntries(hooks.map(([name, all]) => [stage(name), all.map(entryOf)])),
  }
}

const entryOf = ({ path, args, env, timeout }: HookMessage): HookEntry => ({
  path,
  args,
  env,
  timeout: timeout?.value ?? 0,
})

t.test('a container of a pod has its view at its first instruction', needs('runc'), async t => {
  const { here, runtime } = await serving(t)
  await runtime.listen()
  const plugin = await runtime.next()
  t.match(plugin.registered, { plugin_name: 'procveil', plugin_idx: '50' })
  t.equal(plugin.events, 8)

  const pod = { ...POD, annotations: { 'io.procveil.swap': 'off', 'io.procveil.uptime': 'host' } }
  const annotations = { 'io.procveil.uptime': 'container' }
  const id = 'nri-first'
  const answer = await plugin.create(pod, { id, pod_sandbox_id: 'pod', state: 1, annotations })
  const { hooks, annotations: added } = applied(answer)
  t.strictSame(Object.keys(hooks).sort(), ['createRuntime', 'poststop'])
  t.strictSame(added, { 'io.procveil.swap': 'off' })

  // What PID 1 runs first is a look at the file.
  const first = 'cat /proc/meminfo > /tmp/seen; exec sleep 1000'
  const made = box(t, here, id, {
    memoryBytes: 2 ** 26,
    stages: [],
    hooks,
    annotations: { ...annotations, ...added },
    command: ['sh', '-c', first],
  })
  await made.start()
  const seen = await retry(async () => {
    const text = await made.cat('/tmp/seen')
    if (!/^VmallocChunk|^DirectMap|^Hugepagesize/m.test(text)) throw new Error('not yet')
    return text
  })
  t.match(seen, /^MemTotal: +65536 kB/)
  t.match(seen, /^SwapTotal: +0 kB/m, "the pod's annotation")
  t.strictSame(here.registered(), [`${id}.json`])
  await made.runc('delete', '--force', id)
  await untilNone(() => here.registered())
  t.strictSame(plugin.errors, [])
})

t.test('a container outlives the executable', needs('runc'), async t => {
  const { here, runtime } = await serving(t, { pods: 'all' }, here => {
    const program = join(here.directory, 'procveil')
    copyFileSync(here.executable, program)
    here.executable = program
  })
  await runtime.listen()
  const plugin = await runtime.next()
  const hooked = async (id: string) => {
    const { hooks } = applied(await plugin.create(POD, { id, pod_sandbox_id: 'pod', state: 1 }))
    t.strictSame(Object.keys(hooks).sort(), ['createRuntime', 'poststop'])
    return box(t, here, id, { memoryBytes: 2 ** 26, stages: [], hooks })
  }
  const before = await hooked('nri-before')
  await before.start()
  t.match(await before.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  const after = await hooked('nri-after')
  const own = { hooks: { prestart: [await hookOf(plugin)] } }
  t.equal((await plugin.create(POD, { id: 'x', ...own })).adjust, null, 'it knows its own hook')
  t.equal((await here.procveil(['stop'])).exitCode, 0)
  rmSync(here.executable)
  await end(before)
  await after.start()
  t.notMatch(await after.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  await end(after)
})

/** Throws where the runtime cannot delete it at the first try. */
async function end(one: Box): Promise<void> {
  await one.runc('kill', one.id, 'KILL')
  await retry(async () => {
    const { stdout } = await one.runc('state', one.id)
    if (JSON.parse(stdout).status !== 'stopped') throw new Error('it still runs')
  })
  await one.runc('delete', one.id)
}

async function hookOf(plugin: PluginConnection): Promise<HookMessage> {
  const { adjust } = await plugin.create(POD, { id: 'x' })
  const [hook] = adjust?.hooks?.create_runtime ?? []
  if (hook === undefined) throw new Error('Cannot find the hook that the plugin adds')
  return hook
}

t.test('pods opt in and out, and changed rules count at once', needs(), async t => {
  const { here, runtime, rules } = await serving(t, {
    pods: 'all',
    exceptNamespaces: ['kube-system'],
  })
  await runtime.listen()
  const plugin = await runtime.next()
  const isHooked = async (pod: object, container: object = {}) => {
    const answer = await plugin.create({ ...POD, ...pod }, { id: 'x', ...container })
    return answer.adjust !== null
  }
  const off = { annotations: { 'io.procveil.enabled': 'off' } }
  const on = { annotations: { 'io.procveil.enabled': 'on' } }
  t.ok(await isHooked({}))
  t.notOk(await isHooked(off))
  t.notOk(await isHooked({ namespace: 'kube-system' }))
  t.ok(await isHooked({ namespace: 'kube-system', ...on }))
  t.notOk(await isHooked({}, { hooks: { prestart: [{ path: '/usr/libexec/procveil/procveil' }] } }))
  writeFileSync(rules, '{"pods":"annotated"}')
  t.notOk(await isHooked({}))
  t.ok(await isHooked(on))
  writeFileSync(rules, '{"pods":')
  t.ok(await isHooked(on), 'a damaged file changes nothing')
  t.notOk(await isHooked({}))
  rmSync(rules)
  t.notOk(await isHooked(on), 'without the file it is off')
  t.match(here.readLog(), /nri\[\d+\] info: left x alone: its annotations say so/)
  t.strictSame(plugin.errors, [])
})

t.test('a hook from elsewhere hears of the pod, too', needs('runc'), async t => {
  const { here, runtime } = await serving(t, { pods: 'annotated' })
  await runtime.listen()
  const plugin = await runtime.next()
  const off = { 'io.procveil.enabled': 'off' }
  const on = { 'io.procveil.enabled': 'on' }
  const first = await plugin.create({ ...POD, annotations: on }, { id: 'x' })
  const { hooks } = applied(first)
  const run = async (id: string, annotations: object) => {
    const has = { id, hooks: first.adjust?.hooks }
    const added = applied(await plugin.create({ ...POD, annotations }, has))
    t.strictSame(added, { annotations, hooks: {} }, 'no second hook')
    const options = { memoryBytes: 2 ** 26, stages: [], hooks, annotations: added.annotations }
    return (await started(t, here, id, options)).cat('/proc/meminfo')
  }
  t.notMatch(await run('nri-off', off), /^MemTotal: +65536 kB/)
  const seen = await run('nri-options', { 'io.procveil.swap': 'off' })
  t.match(seen, /^MemTotal: +65536 kB/)
  t.match(seen, /^SwapTotal: +0 kB/m)
})

t.test('without its rules there is no such process', needs(), async t => {
  const here = site(t)
  await here.hook({ id: 'x', status: 'creating', pid: process.pid, root: '/nowhere' })
  t.strictSame(plugins(here), [])
})

t.test('the plugin waits for the socket, and connects again', needs(), async t => {
  const { here, runtime } = await serving(t)
  const [{ pid = 0 } = {}] = await retry(() => {
    const found = plugins(here)
    if (found.length !== 1) throw new Error(`there are ${found.length} plugins`)
    return found
  })
  await t.test('nothing happens while there is none', async t => {
    // It has just been started, and has to come to rest.
    const woken = await retry(async () => {
      const before = countSleeps(pid)
      await sleep(1500)
      const woken = countSleeps(pid) - before
      if (woken > 0) throw new Error(`it woke up ${woken} times`)
      return woken
    }, 20_000)
    t.equal(woken, 0)
  })
  await runtime.listen()
  await runtime.next(2000)
  await runtime.stop()
  await runtime.listen({ version: '2.2.0' })
  const second = await runtime.next(2000)
  t.ok((await second.create(POD, { id: 'x' })).adjust)

  // A runtime that was killed leaves its socket behind.
  const kept = `${runtime.path}.kept`
  renameSync(runtime.path, kept)
  await runtime.stop()
  renameSync(kept, runtime.path)
  await sleep(1000)
  await runtime.listen()
  const third = await runtime.next(5000)
  t.ok((await third.create(POD, { id: 'x' })).adjust)
  await runtime.stop()
  rmSync(dirname(runtime.path), { recursive: true })
  await sleep(300)
  await runtime.listen()
  t.ok(
    (await (await runtime.next(5000)).create(POD, { id: 'x' })).adjust,
    'with its directory gone, too',
  )
  t.equal(plugins(here)[0]?.pid, pid, 'by the same process')
})

t.test('a plugin that dies or hangs costs nobody else anything', needs(), async t => {
  const { here, runtime } = await serving(t)
  await runtime.listen()
  const first = await runtime.next()
  const servers = here.servers()
  const [killed] = plugins(here)
  process.kill(killed?.pid ?? 0, 'SIGKILL')
  await first.closed
  const second = await runtime.next(5000)
  t.ok((await second.create(POD, { id: 'x' })).adjust)
  t.match(
    here.readLog(),
    /warning: the NRI plugin is started again in 0.5 s: it ended with SIGKILL/,
  )

  const keeper = here.find('serve') ?? 0
  process.kill(keeper, 'SIGKILL')
  await second.closed
  const third = await runtime.next(10_000)
  t.ok((await third.create(POD, { id: 'x' })).adjust, 'that of the next keeper')
  t.equal(plugins(here).length, 1)
  // A keeper's plugin may be there before the keeper itself has taken everything over.
  await retry(() => {
    const now = here.servers()
    if (now.length !== servers.length) throw new Error(`the service is ${now.length} processes`)
    if (here.readLog().match(/: serves /g)?.length !== 2) throw new Error('it does not serve yet')
  })
  const [stopped] = plugins(here)
  process.kill(stopped?.pid ?? 0, 'SIGSTOP')
  t.match(readFileSync(`${here.mountPoint}/proc/meminfo`, 'utf8'), /^MemTotal/)
  t.equal(here.servers().length, servers.length, 'neither keeper nor server has noticed')
  t.equal((await here.procveil(['stop'])).exitCode, 0, 'the service ends, and it with it')
  await untilNone(() => plugins(here))
})

t.test('a new version of the service has a new plugin, and never two', needs(), async t => {
  const { here, runtime } = await serving(t)
  await runtime.listen()
  const first = await runtime.next()
  const [before] = plugins(here)
  t.equal((await here.procveil(['upgrade'])).exitCode, 0)
  await first.closed
  const second = await runtime.next(5000)
  t.ok((await second.create(POD, { id: 'x' })).adjust)
  const after = plugins(here)
  t.equal(after.length, 1)
  t.not(after[0]?.pid, before?.pid)
})

t.test('docker hears nothing of hooks', needs(), async t => {
  const { runtime } = await serving(t)
  await runtime.listen({ name: 'docker', version: '29.2.0', containers: [{ id: 'y', state: 3 }] })
  const plugin = await runtime.next()
  t.equal((await plugin.create(POD, { id: 'x' })).adjust, null)
  t.strictSame(plugin.errors, [])
})

t.test('containers that were created without a plugin get their files', needs('runc'), async t => {
  const { here, runtime } = await serving(t)
  // It is found as runc's own, where runc keeps its state, and the runtime says what pod it belongs to.
  const id = `nri-missed-${process.pid}`
  const options = { stages: [], memoryBytes: 2 ** 26, runcRoot: '/run/runc' }
  const one = await started(t, here, id, options)
  t.notMatch(await one.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  const state = { id, pod_sandbox_id: 'pod', state: 3, pid: await one.pid() }
  const pods = [{ ...POD, annotations: { 'io.procveil.swap': 'off' } }]
  await runtime.listen({ pods, containers: [state] })
  const plugin = await runtime.next()
  await retry(async () => {
    const text = await one.cat('/proc/meminfo')
    if (!/^MemTotal: +65536 kB/.test(text)) throw new Error('it has none yet')
    if (!/^SwapTotal: +0 kB/m.test(text)) throw new Error("not by its pod's annotation")
  })
  t.strictSame(plugin.errors, [])
})

t.test('a container that was created and did not run gets them, too', needs('runc'), async t => {
  const { here, runtime } = await serving(t)
  const id = `nri-created-${process.pid}`
  await runtime.listen({ pods: [POD], containers: [{ id, pod_sandbox_id: 'pod', state: 1 }] })
  const plugin = await runtime.next()
  const one = await started(t, here, id, UNHOOKED)
  t.match(await retry(() => seen(one)), /^MemTotal/)
  t.strictSame(plugin.errors, [])
})

t.test('so does one for which the answer came too late', needs('runc', 'mkfifo'), async t => {
  const { here, runtime, rules } = await serving(t)
  await runtime.listen()
  const plugin = await runtime.next()
  // It reads its rules for each container: from a pipe it does not, until somebody writes.
  const text = readFileSync(rules)
  const pipe = `${rules}.pipe`
  await execa('mkfifo', [pipe])
  renameSync(pipe, rules)
  const id = `nri-late-${process.pid}`
  const pod = { ...POD, annotations: { 'io.procveil.swap': 'off' } }
  const { adjust } = await plugin.create(pod, { id, pod_sandbox_id: 'pod', state: 1 })
  t.equal(adjust, null)
  const one = await started(t, here, id, UNHOOKED)
  renameSync(rules, pipe)
  writeFileSync(rules, text)
  writeFileSync(pipe, text)
  t.match(await retry(() => seen(one)), /^SwapTotal: +0 kB/m, "by its pod's annotation")
  t.match(here.readLog(), /nri\[\d+\] error: Cannot say within 400 ms/)
  t.strictSame(plugin.errors, [])
})

/** As a container of a pod is found where runc itself keeps its state. */
const UNHOOKED = { stages: [], memoryBytes: 2 ** 26, runcRoot: '/run/runc' } as const

/** What it sees. Throws where that is the host's. */
async function seen(one: Box): Promise<string> {
  const text = await one.cat('/proc/meminfo')
  if (!/^MemTotal: +65536 kB/.test(text)) throw new Error('it has none yet')
  return text
}

t.test('bytes come as they like, and what is no NRI ends the connection', needs(), async t => {
  const { here, runtime } = await serving(t)
  const single = (bytes: Buffer) =>
    Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1))
  await runtime.listen({ cut: bytes => (bytes.length < 2000 ? single(bytes) : [bytes]) })
  const plugin = await runtime.next()
  t.ok((await plugin.create(POD, { id: 'x' })).adjust)
  // 4 MiB at once, and many requests before the first answer.
  const args = Array.from({ length: 1000 }, () => 'a'.repeat(4000))
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => plugin.create(POD, { id: 'x', args })),
  )
  t.ok(answers.every(({ adjust }) => adjust !== null))
  t.strictSame(plugin.errors, [])
  plugin.write(Buffer.alloc(64, 0xff))
  await plugin.closed
  t.match(here.readLog(), /nri\[\d+\] error: Cannot read a frame of NRI/)
  const next = await runtime.next(5000)
  next.write(Buffer.alloc(64, 0xff))
  await next.closed
  t.ok((await (await runtime.next(5000)).create(POD, { id: 'x' })).adjust)
  t.equal(here.readLog().match(/Cannot read a frame/g)?.length, 1, 'told once in a minute')
})

t.test('it is quick, whatever else there is to do', needs(), async t => {
  const { here, runtime } = await serving(t)
  await runtime.listen()
  const plugin: PluginConnection = await runtime.next()
  const tookMs: number[] = []
  for (let i = 0; i < 200; i++) {
    const startMs = performance.now()
    await plugin.create(POD, { id: `x${i}`, env: ['A=B'.repeat(100)] })
    tookMs.push(performance.now() - startMs)
  }
  tookMs.sort((a, b) => a - b)
  t.comment(`median ${tookMs[100]?.toFixed(2)} ms, most ${tookMs.at(-1)?.toFixed(2)} ms`)
  t.ok((tookMs.at(-1) ?? 1000) < 500)
  const [{ pid = 0 } = {}] = plugins(here)
  const [, kib] = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  t.comment(`${kib} KiB of its own`)
  t.ok(Number(kib) < 40_000)
})
