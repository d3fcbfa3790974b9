/** Containers for the operations' tests: one called `box`, in slot 5, whose files all say "text". */

import type { Backend } from '../../src/filesystem/backend.ts'
import { Handles } from '../../src/filesystem/handles.ts'
import type { Texts } from '../../src/filesystem/saved-texts.ts'
import { FILES } from '../../src/proc/files.ts'
import { TestClock } from '../machines/machine.ts'

/** Texts of handles, in memory. */
export function memoryTexts(): Texts {
  const texts = new Map<number, Buffer>()
  return {
    save: (fh, _slot, text) => void texts.set(fh, Buffer.from(text)),
    load: fh => texts.get(fh),
    remove: fh => void texts.delete(fh),
  }
}

/** Numbers from `first` on. */
export function numbersFrom(first: number) {
  let next = first
  return { first, take: () => next++ }
}

export const BOX_SLOT = 5
export const HOST_PID = 1234

export interface FakeBackend extends Backend {
  clock: TestClock
  text: string
  /** Lookups that the kernel holds, by slot. */
  held: Map<number, number>
}

export function fakeBackend(): FakeBackend {
  const clock = new TestClock()
  const held = new Map<number, number>()
  const backend: FakeBackend = {
    clock,
    held,
    text: 'text\n',
    handles: new Handles(numbersFrom(0), clock, memoryTexts()),
    mountTime: 200_000,
    offered: new Set(FILES),
    findSlot: id => (id === 'box' ? BOX_SLOT : undefined),
    ids: () => ['box', 'damaged'],
    ofSlot: () => undefined,
    ofCaller: () => undefined,
    retain: slot => held.set(slot, (held.get(slot) ?? 0) + 1),
    release: (slot, lookups) => held.set(slot, (held.get(slot) ?? 0) - lookups),
    isHostRoot: (pid, uid) => pid === HOST_PID && uid === 0,
    render: () => Buffer.from(backend.text),
    isAwaited: () => false,
    isInLoop: () => false,
    prepare: () => {},
    count: () => {},
    metrics: () => Buffer.from('metrics\n'),
  }
  return backend
}
