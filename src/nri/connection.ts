/** One connection to a runtime, from when it is made until it ends. */

import { connect } from 'node:net'
import type { Log } from '../sys/log.ts'
import { Plugin, type Surroundings } from './plugin.ts'

/** A runtime greets one plugin after the other, and gives each 5 s to register and 2 s to answer. */
const GREETING_MS = 60_000

/** What the runtime does not take stays in our memory. */
const MOST_UNSENT_BYTES = 2 ** 20

/** What becomes of the plugin, and who is told what goes wrong. */
export type Handlers = Omit<Surroundings, 'send'>

/** Resolves when the connection has ended, with how long the plugin was at work; 0 where it never was. */
export function connectPlugin(path: string, handlers: Handlers, log: Log): Promise<number> {
  return new Promise(resolve => {
    let sinceMs: number | undefined
    const socket = connect(path)
    const end = (error: unknown) => {
      handlers.failed(error)
      socket.destroy()
    }
    const greeting = setTimeout(
      () => end(new Error(`Cannot register at ${path}: no runtime has answered`)),
      GREETING_MS,
    )
    const plugin = new Plugin({
      ...handlers,
      send: bytes => {
        if (!socket.destroyed) socket.write(bytes)
        if (socket.writableLength > MOST_UNSENT_BYTES) end(new Error(`Cannot answer at ${path}`))
      },
      configured: runtime => {
        const { name, version } = runtime
        handlers.configured(runtime)
        clearTimeout(greeting)
        sinceMs = performance.now()
        log.info(`is a plugin of ${name} ${version} at ${path}`)
      },
    })
    socket.on('connect', () => plugin.register())
    socket.on('data', (piece: Buffer) => {
      try {
        plugin.receive(piece)
      } catch (error) {
        end(error)
      }
    })
    // The runtime is not there yet, or no longer: the next connection shows.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      clearTimeout(greeting)
      if (sinceMs !== undefined) log.info(`the connection to ${path} has ended`)
      resolve(sinceMs === undefined ? 0 : performance.now() - sinceMs)
    })
  })
}
