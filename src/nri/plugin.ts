/**
 * The plugin, from bytes to bytes: it registers, and answers whatever a runtime asks. To an error a runtime fails the
 * container, and a plugin that is late it closes: so no answer is an error, and one that is not there in time says that
 * nothing is to change.
 */

import { hookRuntimeOf } from './adjust.ts'
import {
  type Adjustment,
  renderConfigured,
  renderCreated,
  renderRegister,
  renderSynchronized,
} from './answers.ts'
import {
  type Container,
  type CreateContainer,
  PLUGIN_SERVICE,
  type Pod,
  parseConfigure,
  parseCreateContainer,
  parseSynchronize,
  RUNTIME_SERVICE,
  type Runtime,
} from './messages.ts'
import { FrameReader, PLUGIN_CONNECTION, RUNTIME_CONNECTION, renderFrames } from './mux.ts'
import {
  MessageReader,
  OK,
  parseRequest,
  parseResponse,
  REQUEST,
  RESPONSE,
  type Request,
  renderMessage,
  renderRequest,
  renderResponse,
  UNIMPLEMENTED,
} from './ttrpc.ts'

/** Plugins are asked in the order of their two digits. */
const INDEX = '50'
const NAME = 'procveil'

/** A runtime waits for 2 s. */
export const ANSWER_MS = 400

/** So many pods and as many containers are looked at that ran before us. A node has some hundreds. */
const MOST_KNOWN = 20_000

const NOTHING = new Uint8Array()

/** What the plugin needs of the process that it is in. */
export interface Surroundings {
  send(bytes: Buffer): void
  /** The runtime has told who it is. */
  configured(runtime: Runtime): void
  /** Returns what is to change in a container; `undefined` where nothing is. */
  adjust(request: CreateContainer): Promise<Adjustment | undefined>
  /** Gets a container that would have had a hook, but for an answer that came too late. */
  late(request: CreateContainer): void
  /** Gets what was created before the plugin was there. */
  synchronized(pods: readonly Pod[], containers: readonly Container[]): void
  /** Gets what went wrong, of which the runtime hears nothing. */
  failed(error: unknown): void
}

export class Plugin {
  readonly #around: Surroundings
  readonly #frames = new FrameReader()
  readonly #requests = new MessageReader()
  readonly #responses = new MessageReader()
  #isSilent = true
  #pods: Pod[] = []
  #containers: Container[] = []

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** To be called first. */
  register(): void {
    const payload = renderRegister(NAME, INDEX)
    const data = renderRequest({ service: RUNTIME_SERVICE, method: 'RegisterPlugin', payload })
    this.#send(RUNTIME_CONNECTION, renderMessage({ stream: 1, type: REQUEST, data }))
  }

  /**
   * Takes what comes from the runtime. Throws an error for what cannot be understood, and when the runtime refuses the
   * plugin: then the connection is of no use any more.
   */
  receive(piece: Buffer): void {
    this.#frames.add(piece, (connection, bytes) => {
      if (connection === PLUGIN_CONNECTION) {
        for (const { type, stream, data } of this.#requests.add(bytes)) {
          if (type !== REQUEST) continue
          if (data === undefined) this.#skip(stream)
          else this.#answer(stream, parseRequest(data))
        }
      } else if (connection === RUNTIME_CONNECTION) {
        for (const { type, data } of this.#responses.add(bytes)) {
          if (type === RESPONSE && data !== undefined) requireSuccess(data)
        }
      }
    })
  }

  /** Whatever was asked, nothing is to change. */
  #skip(stream: number): void {
    this.#around.failed(new Error('Cannot read what the runtime asks: it is too long'))
    this.#succeed(stream, NOTHING)
  }

  #answer(stream: number, { service, method, payload }: Request): void {
    if (service !== PLUGIN_SERVICE) {
      const message = `there is no service ${service.slice(0, 100)}`
      this.#respond(stream, { code: UNIMPLEMENTED, message, payload: NOTHING })
      return
    }
    if (method === 'CreateContainer') void this.#adjust(stream, payload)
    else this.#succeed(stream, this.#attempt(() => this.#inform(method, payload)) ?? NOTHING)
  }

  /** Returns the answer to what is only told. An empty one is that of every method that we do not know, too. */
  #inform(method: string, payload: Uint8Array): Uint8Array {
    if (method === 'Configure') return this.#configure(payload)
    if (method === 'Synchronize') return this.#synchronize(payload)
    return NOTHING
  }

  #configure(payload: Uint8Array): Uint8Array {
    this.#attempt(() => {
      const runtime = parseConfigure(payload)
      this.#isSilent = hookRuntimeOf(runtime.name) === undefined
      this.#around.configured(runtime)
    })
    return renderConfigured()
  }

  #synchronize(payload: Uint8Array): Uint8Array {
    const { pods, containers, more } = parseSynchronize(payload)
    this.#pods = [...this.#pods, ...pods].slice(0, MOST_KNOWN)
    this.#containers = [...this.#containers, ...containers].slice(0, MOST_KNOWN)
    if (!more) {
      const known = [this.#pods, this.#containers] as const
      this.#pods = []
      this.#containers = []
      if (!this.#isSilent) this.#attempt(() => this.#around.synchronized(...known))
    }
    return renderSynchronized(more)
  }

  async #adjust(stream: number, payload: Uint8Array): Promise<void> {
    let isAnswered = false
    const answer = (adjustment: Adjustment | undefined) => {
      if (isAnswered) return
      isAnswered = true
      this.#succeed(stream, adjustment === undefined ? NOTHING : renderCreated(adjustment))
    }
    const timer = setTimeout(() => {
      answer(undefined)
      this.#around.failed(
        new Error(
          `Cannot say within ${ANSWER_MS} ms what a container is to get: it starts without its files, and gets them later`,
        ),
      )
    }, ANSWER_MS)
    try {
      if (this.#isSilent) return answer(undefined)
      const request = parseCreateContainer(payload)
      const adjustment = await this.#around.adjust(request)
      if (isAnswered && adjustment?.hook !== undefined) this.#around.late(request)
      answer(adjustment)
    } catch (error) {
      this.#around.failed(error)
      answer(undefined)
    } finally {
      clearTimeout(timer)
    }
  }

  #attempt<T>(action: () => T): T | undefined {
    try {
      return action()
    } catch (error) {
      this.#around.failed(error)
      return undefined
    }
  }

  #succeed(stream: number, payload: Uint8Array): void {
    this.#respond(stream, { code: OK, message: '', payload })
  }

  #respond(stream: number, response: Parameters<typeof renderResponse>[0]): void {
    const data = renderResponse(response)
    this.#send(PLUGIN_CONNECTION, renderMessage({ stream, type: RESPONSE, data }))
  }

  #send(connection: number, message: Buffer): void {
    this.#around.send(renderFrames(connection, message))
  }
}

/** Nothing is asked but to be registered. */
function requireSuccess(data: Buffer): void {
  const { code, message } = parseResponse(data)
  if (code === OK) return
  throw new Error(`Cannot register with the runtime: it answered ${code}, ${message}`)
}
