/**
 * Everything that our processes say to each other: on command lines, in pipes, and as inherited descriptors.
 *
 *      hook, check-lxcfs                    systemd, a person
 *              │                                    │
 *              │ serve --ready-fd PIPE              │ serve
 *              ▼                                    ▼
 *      ┌───────────────┐    server --options …     ┌───────────────┐
 *      │    keeper     │ ────────────────────────▶ │    server     │  FUSE_FD: /dev/fuse
 *      │ holds the     │ ◀── stdout: READY ─────── │ answers the   │
 *      │ mount         │ ◀── stdout: ANSWERED ──── │ requests      │
 *      │               │ ─── pipe: GO, or ───────▶ │               │  KEEPER_FD: that pipe
 *      │               │ ─── TAKEN_OVER, or end ─▶ │               │  REQUESTS_FD: their memory
 *      └───────┬───────┘                           └───────┬───────┘
 *              │ SIGHUP: becomes the next                  │ the pipe has ended, its keeper is dead:
 *              │ version by execve(2)                      │ it starts another one
 *              ▼                                           ▼
 *      serve --adopt OPTIONS --before SERVER --fuse-fd FUSE --requests-fd MEMORY --ready-fd PIPE
 *
 * Whoever starts a keeper listens at the other end of PIPE for one byte. READY says that the keeper's own server can
 * answer, and a hook goes on. TAKEN_OVER says so to the server that has answered until then, which ends. When no other
 * server can answer any more, the keeper says GO to its own. A pipe that ends without a word says that the process at its
 * other end is dead.
 */

import { writeSync } from 'node:fs'
import type { Options } from '../proc/options.ts'
import { parseDefaults, renderDefaults } from './config.ts'

/**
 * The form of all messages in this file, and of the files in the run directory. A version that does not know this form
 * cannot take over from this one.
 */
const FORM = 'procveil handover 1'

/** The form of the memory into which servers read requests. A version that does not say so is handed none. */
export const REQUESTS_FORM = 'procveil requests 1'

/** The descriptor of /dev/fuse in a server, and in a keeper that a server has started. */
export const FUSE_FD = 3

/** The descriptor at which a server reads the pipe from its keeper. */
export const KEEPER_FD = 4

/** The descriptor of the memory into which a server reads requests. */
export const REQUESTS_FD = 5

/** The first descriptor of a process that has stdin, stdout and stderr alone. */
export const FIRST_FREE_FD = 3

/** The word of a server that can answer requests from now on, and of a keeper whose own server can. */
export const READY = 'r'

/** The word of a server that has answered a request. */
export const ANSWERED = 'a'

/**
 * The word to a server that it may end: another one finds what it has read and not answered. Version 0.2.0 and those
 * before say READY, and find nothing.
 */
export const TAKEN_OVER = 't'

/** The word to a server that it is the only one that can answer, and may. */
export const GO = 'g'

/** The exit status of `remount --registered` where all containers that failed did not answer. */
export const SILENT = 3

/** What a keeper is told by whoever starts it. */
export interface KeeperOrders {
  /** The pipe that READY is written to. */
  readyFd?: number | undefined
  adopted?: Adopted | undefined
  /**
   * Said to version 0.2.0 and those before, where the kernel does not send the requests of a dead server again. Later ones
   * find them in the memory.
   */
  withoutResend?: boolean
}

/** A mount that is there already: another keeper, or another version of this one, has kept it until now. */
interface Adopted {
  /** /dev/fuse. */
  fuseFd: number
  /** The memory into which servers have read requests; `undefined` from and to a version that has none. */
  requestsFd?: number | undefined
  /**
   * The pid of the server that answers until the new keeper's own server does. It listens at the other end of
   * `readyFd`.
   */
  serverPid: number
  /** The options of containers that have none of their own. */
  options: Options
}

/** The options of `procveil serve` that one of our processes gives another, as commander writes and parses them. */
export const KEEPER_FLAGS = [
  '--adopt <json>',
  '--before <pid>',
  '--fuse-fd <number>',
  '--requests-fd <number>',
  // Version 0.2.0 and those before say so. It means nothing any more.
  '--without-resend',
] as const

export interface KeeperArguments {
  readyFd?: string
  adopt?: string
  before?: string
  fuseFd?: string
  requestsFd?: string
}

/** Returns the arguments that follow `procveil serve`. */
export function renderKeeperOrders({ readyFd, adopted, withoutResend }: KeeperOrders): string[] {
  return [
    ...(readyFd === undefined ? [] : ['--ready-fd', String(readyFd)]),
    ...(adopted === undefined ? [] : renderAdopted(adopted)),
    ...(withoutResend ? ['--without-resend'] : []),
  ]
}

function renderAdopted({ fuseFd, requestsFd, serverPid, options }: Adopted): string[] {
  return [
    ...['--adopt', renderDefaults(options), '--before', String(serverPid)],
    ...['--fuse-fd', String(fuseFd)],
    ...(requestsFd === undefined ? [] : ['--requests-fd', String(requestsFd)]),
  ]
}

/** Throws when a number or the options cannot be parsed. */
export function parseKeeperOrders(args: KeeperArguments): KeeperOrders {
  const { readyFd, adopt, before, fuseFd, requestsFd } = args
  return {
    readyFd: readyFd === undefined ? undefined : parseDescriptor('--ready-fd', readyFd),
    adopted:
      adopt === undefined
        ? undefined
        : {
            fuseFd: fuseFd === undefined ? FUSE_FD : parseDescriptor('--fuse-fd', fuseFd),
            requestsFd:
              requestsFd === undefined ? undefined : parseDescriptor('--requests-fd', requestsFd),
            serverPid: parsePid('--before', before ?? ''),
            options: parseDefaults(adopt, '--adopt'),
          },
  }
}

/** What a server is told by its keeper. */
export interface ServerOrders {
  /**
   * The options of containers that have none of their own. The keeper hands over those that it has read: the
   * configuration file may have been damaged since.
   */
  options: Options
  /** Whether another server has answered at this mount before. */
  resume: boolean
  /**
   * What the server before had begun to render before this time and not finished is what it failed at: a time of
   * CLOCK_MONOTONIC in microseconds. `undefined` where that server was killed from outside, and failed at nothing.
   */
  blameUsec?: number | undefined
  /** The pid of the server that answers until the keeper says GO; `undefined` where no other can answer. */
  beforePid?: number | undefined
}

export const SERVER_FLAGS = [
  '--options <json>',
  '--resume',
  '--blame <usec>',
  '--before <pid>',
] as const

export interface ServerArguments {
  options?: string
  resume?: boolean
  blame?: string
  before?: string
}

/** Returns the arguments that follow `procveil server`. */
export function renderServerOrders(orders: ServerOrders): string[] {
  const { options, resume, blameUsec, beforePid } = orders
  return [
    ...['--options', renderDefaults(options)],
    ...(resume ? ['--resume'] : []),
    ...(blameUsec === undefined ? [] : ['--blame', String(blameUsec)]),
    ...(beforePid === undefined ? [] : ['--before', String(beforePid)]),
  ]
}

/** Throws when the options cannot be parsed. */
export function parseServerOrders({
  options = '',
  resume,
  blame,
  before,
}: ServerArguments): ServerOrders {
  return {
    options: parseDefaults(options, '--options'),
    resume: resume === true,
    ...(blame === undefined
      ? {}
      : { blameUsec: parseNumber('--blame', blame, /^\d{1,15}$/, 'a time in microseconds') }),
    ...(before === undefined ? {} : { beforePid: parsePid('--before', before) }),
  }
}

/** Returns what `procveil self-check` prints. */
export function renderSelfCheck(version: string): string {
  return `procveil ${version}\n${FORM}\n${REQUESTS_FORM}\n`
}

/** Returns why the executable that printed this text cannot take over from this version; `undefined` when it can. */
export function parseSelfCheck(text: string): string | undefined {
  return text.split('\n').includes(FORM) ? undefined : `it does not say "${FORM}"`
}

/** Whether the executable that printed this text finds the requests that our servers have read. */
export function takesRequests(text: string): boolean {
  return text.split('\n').includes(REQUESTS_FORM)
}

/** Writes a word to a pipe, whether or not somebody listens: the process at the other end may have ended. */
export function say(
  fd: number,
  word: typeof READY | typeof ANSWERED | typeof GO | typeof TAKEN_OVER,
): void {
  try {
    writeSync(fd, word)
  } catch {}
}

const parseDescriptor = (name: string, text: string) =>
  parseNumber(name, text, /^\d{1,4}$/, 'the number of an open descriptor')

const parsePid = (name: string, text: string) => parseNumber(name, text, /^\d{1,7}$/, 'a pid')

function parseNumber(name: string, text: string, pattern: RegExp, wanted: string): number {
  if (pattern.test(text)) return Number(text)
  throw new SyntaxError(`Cannot parse ${name} "${text}": it must be ${wanted}`)
}
