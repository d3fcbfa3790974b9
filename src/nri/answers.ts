/** What the plugin says by NRI. The numbers of the fields are those of the file that messages.ts names. */

import type { Annotations } from './messages.ts'
import { BinaryWriter, writeMessage, writeNumber, writeText } from './protobuf.ts'

/**
 * Event.CREATE_CONTAINER is 4, and the bit of an event is that of its number less one. No bit at all would mean every
 * event.
 */
const CREATE_CONTAINER_BIT = 1 << (4 - 1)

/** RegisterPluginRequest */
export function renderRegister(name: string, index: string): Uint8Array {
  const writer = new BinaryWriter()
  writeText(writer, 1, name)
  writeText(writer, 2, index)
  return writer.finish()
}

/** ConfigureResponse: of all that happens we are asked about containers that are to be created. */
export function renderConfigured(): Uint8Array {
  const writer = new BinaryWriter()
  writeNumber(writer, 2, CREATE_CONTAINER_BIT)
  return writer.finish()
}

/** SynchronizeResponse. A runtime that has more to say has to hear that more can be taken. */
export function renderSynchronized(more: boolean): Uint8Array {
  const writer = new BinaryWriter()
  if (more) writeNumber(writer, 2, 1)
  return writer.finish()
}

/** What is to change in a container before it is created. */
export interface Adjustment {
  /** Of a key that another plugin has set the runtime makes an error. */
  annotations: Annotations
  /** What is run; `undefined` for a container that has our hook already. */
  hook: Hook | undefined
}

export interface Hook {
  readonly path: string
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly timeout: number
  /** In which it is run. */
  readonly stages: readonly (keyof typeof STAGES)[]
}

/** Fields of Hooks. */
const STAGES = { createRuntime: 2, poststop: 6 } as const

/** CreateContainerResponse */
export function renderCreated({ annotations, hook }: Adjustment): Uint8Array {
  const writer = new BinaryWriter()
  writeMessage(writer, 1, adjust => {
    for (const [key, value] of annotations) {
      writeMessage(adjust, 2, entry => {
        writeText(entry, 1, key)
        writeText(entry, 2, value)
      })
    }
    if (hook === undefined) return
    writeMessage(adjust, 5, hooks => {
      for (const stage of hook.stages)
        writeMessage(hooks, STAGES[stage], entry => writeHook(entry, hook))
    })
  })
  return writer.finish()
}

function writeHook(writer: BinaryWriter, { path, args, env, timeout }: Hook): void {
  writeText(writer, 1, path)
  for (const each of args) writeText(writer, 2, each)
  for (const each of env) writeText(writer, 3, each)
  // OptionalInt
  writeMessage(writer, 4, seconds => writeNumber(seconds, 1, timeout))
}
