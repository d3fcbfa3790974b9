/** GET requests to the API server, as a pod's service account. */

import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'

export interface Api {
  host: string
  port: number
  /** The directory with a pod's `token` and `ca.crt`, in which the kubelet renews the token. */
  credentials: string
}

/** The object's metadata alone, which the server makes of it since Kubernetes 1.15. */
const ACCEPT = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json'

/** An object has at most 1.5 MiB in etcd. */
const MOST_BYTES = 4 * 1024 * 1024

export interface Watching {
  takeLine: (line: string) => void
  /** How long the first line may take. */
  firstLineMs: number
  /** Ends the request, which then throws. */
  signal: AbortSignal
}

/**
 * Returns the answer's status, and its text but for the lines that `watching` took meanwhile. Throws when there is no whole
 * answer within `timeoutMs`, no first line in time, and when `takeLine` throws.
 */
export function get(
  { host, port, credentials }: Api,
  path: string,
  timeoutMs: number,
  watching?: Watching,
): Promise<{ status: number; text: string }> {
  const ca = readFileSync(join(credentials, 'ca.crt'), 'utf8')
  const token = readFileSync(join(credentials, 'token'), 'utf8').trim()
  return new Promise((resolve, reject) => {
    const asked = request({
      ...{ host, port, path, ca, agent: false },
      headers: { Accept: ACCEPT, Authorization: `Bearer ${token}` },
    })
    const fail = (reason: unknown) => {
      settle()
      asked.destroy()
      reject(new Error(`Cannot ask the API server at ${host}:${port}`, { cause: reason }))
    }
    const failAfter = (ms: number) => setTimeout(() => fail(new Error(`no answer in ${ms} ms`)), ms)
    const timer = failAfter(timeoutMs)
    const firstLine = watching && failAfter(watching.firstLineMs)
    const abort = () => fail(watching?.signal.reason)
    watching?.signal.addEventListener('abort', abort)
    const settle = () => {
      clearTimeout(timer)
      clearTimeout(firstLine)
      watching?.signal.removeEventListener('abort', abort)
    }
    const takeLine = (line: string) => {
      clearTimeout(firstLine)
      watching?.takeLine(line)
    }
    asked.on('error', fail)
    asked.on('response', response => {
      const status = response.statusCode ?? 0
      let text = ''
      response.setEncoding('utf8')
      response.on('error', fail)
      response.on('aborted', () => fail(new Error('it ended the connection')))
      response.on('data', (piece: string) => {
        try {
          text += piece
          if (watching !== undefined && status === 200) text = takeLines(text, takeLine)
          if (text.length > MOST_BYTES) throw new RangeError(`more than ${MOST_BYTES} bytes`)
        } catch (error) {
          fail(error)
        }
      })
      response.on('end', () => {
        settle()
        resolve({ status, text })
      })
    })
    asked.end()
  })
}

/** Hands over all whole lines, and returns the rest. */
function takeLines(text: string, takeLine: (line: string) => void): string {
  const lines = text.split('\n')
  const rest = lines.pop() ?? ''
  for (const line of lines) takeLine(line)
  return rest
}
