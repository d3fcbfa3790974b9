/** Texts of the kernel as no kernel makes them, for each parser alone and for the view of a container. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { parseCgroupPaths } from '../../src/cgroup/hierarchy.ts'
import { ownPath } from '../../src/container/own-cgroups.ts'
import { Renderer } from '../../src/filesystem/renderer.ts'
import { MountTree, parseMounts } from '../../src/host/mountinfo.ts'
import { parsePids, parseStartTicks, parseStatusField } from '../../src/host/proc-pid.ts'
import { FILES } from '../../src/proc/files.ts'
import { PidNamespaces } from '../../src/view/pid-namespaces.ts'
import { checkFile } from '../consumers/files.ts'
import { filesOf, openOn } from '../property/container.ts'
import { hostFiles, SMALL_HOST } from '../property/hosts.ts'
import type { Files, MemoryHost } from '../property/memory-host.ts'
import { GOOD_TEXTS, numbersIn, PARSERS } from '../property/parsers.ts'
import { ensure } from '../property/runs.ts'
import { FIRST_TID, HEALTHY_LEVEL, KINDS, type Kind, type Tree } from '../property/trees.ts'
import { attempt, fuzzer, requireOurs } from './fuzzer.ts'
import { damaged, mutate, mutations } from './mutations.ts'

const captured = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../fixtures/hosts/debian-12-v2/${path}`, import.meta.url)))

const texts = [
  ...GOOD_TEXTS.map(text => Buffer.from(text)),
  captured('proc/self/mountinfo'),
  Buffer.from('12:pids:/docker/x\n1:name=systemd:/a\n0::/docker/x/init.scope\n'),
  Buffer.from('42 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 9001 0\n'),
  Buffer.from('Name:\tsh\nPPid:\t5000\nNSpid:\t5000\t7\t1\n'),
]

const HOST = hostFiles(SMALL_HOST)
const treeOf = (kind: Kind): Tree => ({
  kind,
  levels: [HEALTHY_LEVEL, HEALTHY_LEVEL],
  threads: 'RSD',
})
const LAYERS = new Map(KINDS.map(kind => [kind, filesOf(HOST, treeOf(kind))]))
const STATUS: Files = Object.fromEntries(
  [0, 1, 2].map(i => [
    `proc/${FIRST_TID + i}/status`,
    `Name:\tx\nPPid:\t${FIRST_TID + i - 1}\nNSpid:\t${FIRST_TID + i}\t${i + 1}\n`,
  ]),
)

/** Files of the container, and now and then one of the host. */
const change = fc.record({
  at: fc.nat(400),
  ofHost: fc.constantFrom(false, false, false, true),
  steps: mutations,
})
const values = fc.record({
  text: damaged(texts),
  kind: fc.constantFrom(...KINDS),
  changes: fc.array(change, { minLength: 1, maxLength: 5 }),
})
type Value = typeof values extends fc.Arbitrary<infer T> ? T : never

export const FUZZER = fuzzer(values, value => {
  parse(value.text.toString())
  view(value)
})

function parse(text: string): void {
  for (const [name, parser] of Object.entries(PARSERS)) {
    const found = numbersIn(parser(text))
    ensure(found.every(Number.isFinite), () => `${name} gave ${found.slice(0, 20)}`)
  }
  const mounts = new MountTree(parseMounts(text))
  for (const path of ['/', '/proc', '/sys/fs/cgroup/a/b', '']) mounts.lookUp(path)
  attempt(() => parseStartTicks(text))
  parsePids(text)
  parseStatusField(text, 'PPid')
  for (const path of Object.values(parseCgroupPaths(text))) ownPath(path, 'x')
}

function view({ kind, changes }: Value): void {
  const layers = LAYERS.get(kind) ?? []
  const container = openOn([...layers, STATUS], treeOf(kind))
  for (const each of changes) damage(container.host, layers, each)
  const isHostWhole = changes.every(({ ofHost }) => !ofHost)
  const renderer = new Renderer(container.host, { error: requireOurs })
  for (let i = 0; i < 2; i++) {
    for (const file of FILES) {
      if (container.host.tryRead(file.path) === undefined) continue
      const text = renderer.render(file, container.view).toString()
      if (isHostWhole) checkFile(file.path, text)
    }
    renderer.begin()
    container.host.clock.advance(7)
    container.view.tick()
  }
  for (const path of Object.keys(STATUS)) {
    const pid = Number(path.split('/')[1])
    attempt(() => new PidNamespaces(container.host).findInit(pid))
  }
}

/** The layers are the host's files, those of the init, and those of the cgroups. */
function damage(
  host: MemoryHost,
  [machine = {}, ...own]: readonly Files[],
  { at, ofHost, steps }: Value['changes'][number],
): void {
  const files = ofHost ? machine : { ...Object.assign({}, ...own), ...STATUS }
  const [path, valid] = Object.entries(files)[at % Object.keys(files).length] ?? []
  if (path === undefined || typeof valid !== 'string') return
  host.set({ [path]: mutate(Buffer.from(valid), steps).toString() })
}
