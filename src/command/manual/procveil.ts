/** procveil(8): the commands and options as the program itself has them, and prose for each. */

import type { Argument, Command, Option } from 'commander'
import { COMMAND_PROSE } from './commands.ts'
import {
  argument,
  type Heading,
  renderBlocks,
  renderHeading,
  renderList,
  renderProse,
  renderSection,
  type Term,
} from './mdoc.ts'
import { CLOSING, COMMANDS_INTRODUCTION, DESCRIPTION, ENVIRONMENT, FILES } from './prose.ts'

/** Throws when a command has no prose, or prose no command. */
export function renderProcveil(
  program: Command,
  heading: Pick<Heading, 'date' | 'version'>,
): string {
  const commands = program.createHelp().visibleCommands(program)
  refuseStray(commands.map(command => command.name()))
  const own = Object.values(COMMAND_PROSE).flatMap(({ files = [] }) => files)
  const files = [...FILES, ...own].sort((one, other) => (pathOf(one) < pathOf(other) ? -1 : 1))
  const lines = [
    ...renderHeading({
      ...heading,
      name: 'procveil',
      section: 8,
      about: 'give every container its own /proc',
    }),
    ...['.Sh SYNOPSIS', '.Nm', '.Op Ar options', '.Ar command', '.Op Ar arguments'],
    ...renderSection({ title: 'DESCRIPTION', blocks: DESCRIPTION }),
    '.Sh OPTIONS',
    ...renderProse('These stand before the command.'),
    ...renderOptions(program, () => true, false),
    ...['.Sh COMMANDS', ...renderProse(COMMANDS_INTRODUCTION)],
    ...renderList(commands.flatMap(renderCommand), false),
    ...renderSection(ENVIRONMENT),
    ...renderSection({ title: 'FILES', blocks: [{ terms: files }] }),
    ...CLOSING.flatMap(renderSection),
  ]
  return `${lines.join('\n')}\n`
}

const pathOf = ({ term }: Term) => term.replaceAll('`', '')

function refuseStray(names: readonly string[]): void {
  const stray = Object.keys(COMMAND_PROSE).filter(name => !names.includes(name))
  if (stray.length === 0) return
  throw new RangeError(`Cannot render procveil(8): there is no command ${stray.join(', ')}`)
}

function renderCommand(command: Command): string[] {
  const name = command.name()
  const prose = COMMAND_PROSE[name]
  if (prose === undefined) {
    throw new RangeError(
      `Cannot render procveil(8): it says nothing of ${name}; add it to commands.ts`,
    )
  }
  return [
    renderUsage(command),
    ...renderBlocks([sentence(command.description()), ...prose.text]),
    // That a command has help of its own is said once for all of them.
    ...renderOptions(command, ({ long }) => long !== '--help', true),
    '.Pp',
    ...renderProse(prose.exitStatus),
  ]
}

/** Renders the names of a command, the options that it cannot do without, and its arguments. */
function renderUsage(command: Command): string {
  const options = command.createHelp().visibleOptions(command)
  const needed = options.filter(({ mandatory }) => mandatory)
  const hasOthers = options.length > needed.length + 1
  return [
    '.It',
    ['Ic', [command.name(), ...command.aliases()].map(argument).join(' | ')].join(' '),
    ...needed.map(({ short, long, flags }) => renderFlag(short ?? long ?? '', flags)),
    ...(hasOthers ? ['Oo Ar options Oc'] : []),
    ...command.registeredArguments.map(renderArgument),
  ].join(' ')
}

function renderArgument(each: Argument): string {
  const name = each.argChoices?.map(argument).join(' | ') ?? argument(each.name())
  return each.required ? `Ar ${name}` : `Oo Ar ${name} Oc`
}

function renderOptions(
  command: Command,
  isWanted: (option: Option) => boolean,
  compact: boolean,
): string[] {
  const help = command.createHelp()
  const items = [
    ...help
      .visibleArguments(command)
      .map(each => [`.It Ar ${argument(each.name())}`, ...renderProse(sentence(each.description))]),
    ...help.visibleOptions(command).filter(isWanted).map(renderOption),
  ]
  return items.length > 0 ? renderList(items.flat(), compact) : []
}

function renderOption({ short, long, flags, description, defaultValue }: Option): string[] {
  const names = [short, long].filter(name => name !== undefined)
  const heads = names.map((name, at) => renderFlag(name, at === names.length - 1 ? flags : ''))
  const isWord = typeof defaultValue === 'string'
  const byDefault =
    defaultValue === undefined
      ? ''
      : ` The default is ${isWord ? `\`${defaultValue}\`` : defaultValue}.`
  return [`.It ${heads.join(' , ')}`, ...renderProse(sentence(description) + byDefault)]
}

/** Renders a spelling of a flag, and the value that `flags`, such as `-c, --container-id <id>`, says it takes. */
function renderFlag(name: string, flags: string): string {
  const [, value, more = ''] = /<([^>.]+)(\.\.\.)?>/.exec(flags) ?? []
  const flag = `Fl ${argument(name.slice(1))}`
  return value === undefined ? flag : [flag, 'Ar', argument(value), more].join(' ').trim()
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1).replace(/\.?$/, '.')
