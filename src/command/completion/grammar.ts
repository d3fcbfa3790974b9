/** What can stand in a command line, read from the commands themselves. */

import type { Argument, Command, Option } from 'commander'
import { FILE_PATHS } from '../../proc/paths.ts'

/** What may stand in a place: one of these words, the id of a container, a path, or anything. */
export type Value = { words: readonly string[] } | 'container' | 'file' | 'directory' | 'any'

export interface Flag {
  /** The spellings of the flag, such as both of `-c, --container-id`. */
  names: readonly string[]
  description: string
  /** `undefined` for a flag that stands alone. */
  value: Value | undefined
}

export interface Words {
  name: string
  description: string
  flags: readonly Flag[]
  arguments: readonly Value[]
}

export interface Grammar extends Words {
  commands: readonly Words[]
  /** The directory in which each container has a file. */
  registrations: string
}

export function readGrammar(program: Command, registrations: string): Grammar {
  const named = program
    .createHelp()
    .visibleCommands(program)
    .flatMap(command => [command.name(), ...command.aliases()].map(name => ({ name, command })))
  const names = named.map(({ name }) => name)
  const commands = named.map(({ name, command }) => ({ ...readWords(command, names), name }))
  return { ...readWords(program, names), commands, registrations }
}

function readWords(command: Command, names: readonly string[]): Words {
  return {
    name: command.name(),
    description: command.description(),
    flags: command.createHelp().visibleOptions(command).map(readFlag),
    arguments: command.registeredArguments.map(argument => readArgument(argument, names)),
  }
}

function readFlag(option: Option): Flag {
  const { short, long, description, argChoices, flags } = option
  const [, name] = /[<[]([^>\].]+)/.exec(flags) ?? []
  const isAlone = !option.required && !option.optional
  return {
    names: [short, long].filter(each => each !== undefined),
    description,
    value: isAlone ? undefined : findValue(option.attributeName(), name, argChoices),
  }
}

function readArgument(argument: Argument, commands: readonly string[]): Value {
  const name = argument.name()
  if (name === 'command') return { words: commands }
  // This is the argument of `show`, which shows our own files only.
  if (name === 'file') return { words: FILE_PATHS.map(shortest) }
  return findValue(name, name, argument.argChoices)
}

function findValue(what: string, name: string | undefined, choices: readonly string[] = []): Value {
  if (choices.length > 0) return { words: choices }
  if (what === 'containerId') return 'container'
  if (name === 'directory' || name === 'folder') return 'directory'
  return name === 'file' ? 'file' : 'any'
}

/** Returns the shortest name that `findFile` takes: `meminfo`, `pressure/cpu`, `online`. */
const shortest = (path: string) => path.replace(/^(proc|sys\/devices\/system\/cpu)\//, '')
