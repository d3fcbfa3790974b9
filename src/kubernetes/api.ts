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

/**
 * Returns the answer's status, and its text but for the lines that `takeLine` took meanwhile. Throws when there is no whole
 * answer within `timeoutMs`, and when `takeLine` throws.
 */
export function get(
  { host, port, credentials }: Api,
  path: string,
  timeoutMs: number,
  takeLine?: (line: string) => void,
): Promise<{ status: number; text: string }> {
  const ca = readFileSync(join(credentials, 'ca.crt'), 'utf8')
  const token = readFileSync(join(credentials, 'token'), 'utf8').trim()
  return new Promise((resolve, reject) => {
    const asked = request({
      ...{ host, port, path, ca, agent: false },
      headers: { Accept: ACCEPT, Authorization: `Bearer ${token}` },
    })
    const fail = (reason: unknown) => {
      clearTimeout(timer)
      asked.destroy()
      reject(new Error(`Cannot ask the API server at ${host}:${port}`, { cause: reason }))
    }
    const timer = setTimeout(() => fail(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs)
    asked.on('error', fail)
    asked.on('response', response => {
      const status = response.statusCode ?? 0
      let text = ''
      response.setEncoding('utf8')
      response.on('error', fail)
      response.on('aborted', () => fail(new Error('it ended the connection')))
      response.on('data', (piece: string) => {
        try {
          text = takeLines(text + piece, status === 200 ? takeLine : undefined)
          if (text.length > MOST_BYTES) throw new RangeError(`more than ${MOST_BYTES} bytes`)
        } catch (error) {
          fail(error)
        }
      })
      response.on('end', () => {
        clearTimeout(timer)
        resolve({ status, text })
      })
    })
    asked.end()
  })
}

/** Hands over all whole lines, and returns the rest. */
function takeLines(text: string, takeLine: ((line: string) => void) | undefined): string {
  if (takeLine === undefined) return text
  const lines = text.split('\n')
  const rest = lines.pop() ?? ''
  for (const line of lines) takeLine(line)
  return rest
}
