/**
 * A runtime with NRI as a test pretends to be one. It shares nothing with src/nri: its messages are made by another
 * protobuf library from another list of the fields, and it reads as the Go code does, through a buffer of 4096 bytes.
 */

import { mkdirSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader'

const PROTO = fileURLToPath(new URL('nri.proto', import.meta.url))
const PACKAGE = 'nri.pkg.api.v1alpha1'
const BUFFER_BYTES = 4096

const loaded = loadSync(PROTO, { keepCase: true, longs: Number, defaults: true })

interface Method {
  requestSerialize(value: object): Buffer
  requestDeserialize(bytes: Buffer): object
  responseSerialize(value: object): Buffer
  responseDeserialize(bytes: Buffer): object
}

export function methodOf(service: 'Runtime' | 'Plugin' | 'Envelope', name: string): Method {
  const definition = loaded[`${PACKAGE}.${service}`] as unknown as ServiceDefinition
  return definition[name] as unknown as Method
}

const carry = methodOf('Envelope', 'Carry')

export interface HookMessage {
  path: string
  args: string[]
  env: string[]
  timeout: { value: number } | null
}

export interface CreateAnswer {
  adjust: {
    annotations: Record<string, string>
    hooks: Record<'create_runtime' | 'poststop' | 'prestart', HookMessage[]> | null
  } | null
  update: object[]
  evict: object[]
}

/** 10 bytes of header, and the data: writeMessageHeader of ttrpc's channel.go. */
export function ttrpc(stream: number, type: number, data: Buffer): Buffer {
  const header = Buffer.alloc(10)
  header.writeUInt32BE(data.length, 0)
  header.writeUInt32BE(stream, 4)
  header.writeUInt8(type, 8)
  return Buffer.concat([header, data])
}

/** As Go's bufio.Writer writes it: what fits into 4096 bytes, and then all the rest at once. */
export function frames(connection: number, bytes: Buffer): Buffer {
  const pieces = [bytes.subarray(0, BUFFER_BYTES), bytes.subarray(BUFFER_BYTES)]
  return Buffer.concat(
    pieces
      .filter(piece => piece.length > 0)
      .flatMap(piece => {
        const header = Buffer.alloc(8)
        header.writeUInt32BE(connection, 0)
        header.writeUInt32BE(piece.length, 4)
        return [header, piece]
      }),
  )
}

/**
 * Reads the messages of one connection out of whole frames as bufio.Reader does: at each read the next frame has to fit
 * into what is asked for, and else mux.go answers ENOMEM.
 */
export class GoReader {
  #buffered: Buffer = Buffer.alloc(0)
  #message: { header: Buffer; data: Buffer; left: number } | undefined

  /** Returns a message that this frame ends. Throws where Go would close the connection. */
  add(frame: Buffer): { stream: number; type: number; data: Buffer }[] {
    const messages = []
    let pending: Buffer | undefined = frame
    for (;;) {
      const wanted = this.#message?.left ?? 10
      if (this.#buffered.length === 0) {
        if (pending === undefined) return messages
        // A read of 4096 bytes and more goes past the buffer.
        const room = this.#message !== undefined && wanted >= BUFFER_BYTES ? wanted : BUFFER_BYTES
        if (pending.length > room) throw new Error(`ENOMEM: ${pending.length} into ${room} bytes`)
        this.#buffered = pending
        pending = undefined
        continue
      }
      const part = this.#buffered.subarray(0, wanted)
      this.#buffered = this.#buffered.subarray(part.length)
      if (this.#message === undefined) {
        // Our headers come in one frame.
        if (part.length < 10) throw new Error('a header in pieces')
        this.#message = { header: part, data: Buffer.alloc(0), left: part.readUInt32BE(0) }
      } else {
        this.#message.data = Buffer.concat([this.#message.data, part])
        this.#message.left -= part.length
      }
      if (this.#message.left > 0) continue
      const { header, data } = this.#message
      messages.push({ stream: header.readUInt32BE(4), type: header.readUInt8(8), data })
      this.#message = undefined
    }
  }
}

export interface RuntimeOptions {
  name?: string
  version?: string
  /** How what is sent is cut. */
  cut?: (bytes: Buffer) => Buffer[]
  pods?: object[]
  containers?: object[]
  /** Into how many messages what runs is split. */
  parts?: number
}

/** One plugin that has connected. */
export class PluginConnection {
  readonly #socket: Socket
  readonly #options: RuntimeOptions
  readonly #readers = { 1: new GoReader(), 2: new GoReader() }
  #received = Buffer.alloc(0)
  #stream = -1
  readonly #waiting = new Map<number, (data: Buffer) => void>()
  registered: Record<string, string> | undefined
  events: number | undefined
  /** What was answered with an error, and what Go would have closed the connection for. */
  readonly errors: string[] = []
  readonly closed: Promise<void>

  constructor(socket: Socket, options: RuntimeOptions) {
    this.#socket = socket
    this.#options = options
    this.closed = new Promise(resolve => socket.on('close', () => resolve()))
    socket.on('error', () => {})
    socket.on('data', piece => this.#receive(piece as Buffer))
  }

  get isClosed(): boolean {
    return this.#socket.destroyed
  }

  /** How many bytes the plugin has not taken yet. */
  get unsent(): number {
    return this.#socket.writableLength
  }

  write(bytes: Buffer): void {
    const { cut = (all: Buffer) => [all] } = this.#options
    for (const piece of cut(bytes)) this.#socket.write(piece)
  }

  /** Registers the plugin, as adaptation/plugin.go does with one that has connected. */
  async greet(): Promise<void> {
    const { name = 'containerd', version = '2.1.9', pods = [], containers = [] } = this.#options
    while (this.registered === undefined) {
      if (this.isClosed) throw new Error('Cannot greet the plugin: it has closed the connection')
      await sleep(5)
    }
    const configured = (await this.call('Configure', {
      runtime_name: name,
      runtime_version: version,
      registration_timeout: 5000,
      request_timeout: 2000,
      NRI_version: 'v0.8.0',
    })) as { events: number }
    this.events = configured.events
    const { parts = 1 } = this.#options
    for (let part = 1; part <= parts; part++) {
      const of = (all: object[]) => all.filter((_, at) => at % parts === part - 1)
      const request = { pods: of(pods), containers: of(containers), more: part < parts }
      const { more, update } = (await this.call('Synchronize', request)) as {
        more: boolean
        update: object[]
      }
      if (more !== part < parts || update.length > 0)
        this.errors.push(`Synchronize: more is ${more}`)
    }
  }

  create(pod: object, container: object): Promise<CreateAnswer> {
    return this.call('CreateContainer', { pod, container }) as Promise<CreateAnswer>
  }

  /** Resolves with the answer, and rejects when there is none after 2 s, or an error. */
  async call(method: string, request: object, service = 'Plugin'): Promise<object> {
    const { requestSerialize, responseDeserialize } = methodOf('Plugin', method)
    const answer = await this.callRaw(`${PACKAGE}.${service}`, method, requestSerialize(request))
    return responseDeserialize(answer)
  }

  callRaw(service: string, method: string, payload: Buffer): Promise<Buffer> {
    this.#stream += 2
    const stream = this.#stream
    const request = { service, method, payload, timeout_nano: 2_000_000_000 }
    this.write(frames(1, ttrpc(stream, 1, carry.requestSerialize(request))))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no answer in 2 s`)), 2000)
      this.closed.then(() => reject(new Error(`${method}: the plugin has closed the connection`)))
      this.#waiting.set(stream, data => {
        clearTimeout(timer)
        const { status, payload } = carry.responseDeserialize(data) as {
          status: { code: number; message: string } | null
          payload: Buffer
        }
        if (status === null || status.code === 0) return resolve(payload)
        this.errors.push(`${method}: ${status.code} ${status.message}`)
        reject(new Error(`${method}: ${status.code} ${status.message}`))
      })
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(piece: Buffer): void {
    this.#received = Buffer.concat([this.#received, piece])
    for (;;) {
      if (this.#received.length < 8) return
      const connection = this.#received.readUInt32BE(0)
      const length = this.#received.readUInt32BE(4)
      if (this.#received.length < 8 + length) return
      const frame = this.#received.subarray(8, 8 + length)
      this.#received = this.#received.subarray(8 + length)
      try {
        const messages = this.#readers[connection as 1 | 2].add(frame)
        for (const message of messages) this.#take(connection, message)
      } catch (error) {
        this.errors.push(String(error))
        this.close()
        return
      }
    }
  }

  #take(connection: number, { stream, type, data }: ReturnType<GoReader['add']>[number]): void {
    if (connection === 1) {
      if (type !== 2) this.errors.push(`type ${type} where an answer was expected`)
      this.#waiting.get(stream)?.(data)
      this.#waiting.delete(stream)
      return
    }
    const { service, method, payload } = carry.requestDeserialize(data) as Record<string, string>
    if (service !== `${PACKAGE}.Runtime` || method !== 'RegisterPlugin' || stream % 2 !== 1) {
      this.errors.push(`${service}/${method} on stream ${stream}`)
      return
    }
    const bytes = payload as unknown as Buffer
    this.registered = methodOf('Runtime', method).requestDeserialize(bytes) as Record<
      string,
      string
    >
    this.write(frames(2, ttrpc(stream, 2, carry.responseSerialize({ status: { code: 0 } }))))
  }
}

/** Listens as a runtime does that has NRI on. */
export class FakeRuntime {
  readonly path: string
  /** Those that nobody has asked for yet. */
  #connections: PluginConnection[] = []
  #all: PluginConnection[] = []
  #server: Server | undefined

  constructor(path: string) {
    this.path = path
  }

  /** As adaptation.startListener: an old socket is removed before. */
  async listen(options: RuntimeOptions = {}): Promise<void> {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
    rmSync(this.path, { force: true })
    const server = createServer(socket => {
      const connection = new PluginConnection(socket, options)
      this.#connections.push(connection)
      this.#all.push(connection)
    })
    this.#server = server
    await new Promise<void>(resolve => server.listen(this.path, resolve))
  }

  /** Resolves with the plugin that connects next, which is greeted. */
  async next(timeoutMs = 10_000): Promise<PluginConnection> {
    const connection = await this.nextSilent(timeoutMs)
    await connection.greet()
    return connection
  }

  async nextSilent(timeoutMs = 10_000): Promise<PluginConnection> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const connection = this.#connections.shift()
      if (connection !== undefined) return connection
      if (Date.now() > deadline) throw new Error(`No plugin has connected in ${timeoutMs} ms`)
      await sleep(5)
    }
  }

  /** Ends as a process does. */
  async stop(): Promise<void> {
    for (const each of this.#all.splice(0)) each.close()
    this.#connections = []
    const server = this.#server
    this.#server = undefined
    if (server !== undefined) await new Promise(resolve => server.close(resolve))
  }
}
