/** An API server that knows one DaemonSet, with the credentials that a pod of it would have. */

import { mkdirSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { execaSync } from 'execa'

export const NAME = { namespace: 'kube-system', name: 'procveil' }
const TOKEN = 'a-token'
const OBJECT = `/apis/apps/v1/namespaces/${NAME.namespace}/daemonsets/${NAME.name}`
const WATCH = `/apis/apps/v1/namespaces/${NAME.namespace}/daemonsets?`

type Mood = 'there' | 'deleted' | 'going' | 'forbidden' | 'other path' | 'other object' | 'silent'

export class ApiServer {
  /** What it answers from now on. A watch that has begun goes on, whatever it is. */
  mood: Mood = 'there'
  /** A watch is told nothing of what is there. */
  isQuiet = false
  /** The paths that were asked for. */
  readonly asked: string[] = []
  readonly #watches = new Set<ServerResponse>()
  readonly #server
  readonly credentials: string

  constructor(directory: string) {
    this.credentials = join(directory, 'credentials')
    mkdirSync(this.credentials)
    const [key, cert] = [join(directory, 'key.pem'), join(this.credentials, 'ca.crt')]
    execaSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-days', '2', '-subj', '/CN=kubernetes', '-addext', 'subjectAltName=IP:127.0.0.1'],
      ...['-keyout', key, '-out', cert],
    ])
    writeFileSync(join(this.credentials, 'token'), TOKEN)
    const [keyText, certText] = [key, cert].map(path => execaSync('cat', [path]).stdout)
    this.#server = createServer(
      { key: keyText, cert: certText },
      ({ url = '', headers }, answer) => {
        this.asked.push(url)
        if (headers.authorization !== `Bearer ${TOKEN}`) send(answer, 401, status('Unauthorized'))
        else this.#answer(url, answer)
      },
    )
  }

  async listen(): Promise<{ host: string; port: number; credentials: string }> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    const { port } = this.#server.address() as AddressInfo
    return { host: '127.0.0.1', port, credentials: this.credentials }
  }

  get watches(): number {
    return this.#watches.size
  }

  /** Tells those that watch. */
  tell(type: 'MODIFIED' | 'DELETED' | 'ERROR', metadata: object = {}): void {
    for (const each of this.#watches) each.write(event(type, metadata))
  }

  endWatches(): void {
    for (const each of this.#watches) each.end()
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #answer(url: string, answer: ServerResponse): void {
    if (this.mood === 'silent') return
    if (this.mood !== 'forbidden' && this.mood !== 'other path' && url.startsWith(WATCH)) {
      answer.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders()
      if (this.mood === 'there' && !this.isQuiet) answer.write(event('ADDED'))
      this.#watches.add(answer)
      const seconds = Number(new URLSearchParams(url.slice(WATCH.length)).get('timeoutSeconds'))
      const timer = setTimeout(() => answer.end(), seconds * 1000)
      answer.on('close', () => {
        clearTimeout(timer)
        this.#watches.delete(answer)
      })
    } else {
      const [code, body] = answerOf(url === OBJECT ? this.mood : 'other path')
      send(answer, code, body)
    }
  }
}

function answerOf(mood: Exclude<Mood, 'silent'>): [number, object] {
  switch (mood) {
    case 'forbidden':
      return [403, status('Forbidden')]
    case 'other path':
      return [404, status('NotFound')]
    case 'deleted':
      return [404, status('NotFound', { name: NAME.name })]
    case 'other object':
      return [200, object({ name: 'other' })]
    case 'going':
      return [200, object({ deletionTimestamp: '2026-11-30T00:00:00Z' })]
    case 'there':
      return [200, object({})]
  }
}

const object = (metadata: object) => ({
  kind: 'PartialObjectMetadata',
  metadata: { name: NAME.name, resourceVersion: '1', ...metadata },
})

const event = (type: string, metadata: object = {}) =>
  `${JSON.stringify({ type, object: object(metadata) })}\n`

const status = (reason: string, details: object = {}) => ({ kind: 'Status', reason, details })

function send(answer: ServerResponse, code: number, body: object): void {
  answer.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}
