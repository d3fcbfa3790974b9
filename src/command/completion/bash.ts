/** A completion script for bash(1), "Programmable Completion"; it needs no other package. */

import type { Grammar, Value, Words } from './grammar.ts'
import { quote } from './quote.ts'

export function renderBash(grammar: Grammar): string {
  const { name, commands, registrations } = grammar
  const all: [command: string, words: Words][] = [
    ['', grammar],
    ...commands.map((command): [string, Words] => [command.name, command]),
  ]
  const values = all.flatMap(([command, { flags }]) =>
    flags.flatMap(({ names, value }) =>
      value === undefined
        ? []
        : [`      ${patterns(command, names)}) expects=${quote(render(value))} ;;`],
    ),
  )
  const flags = all.map(
    ([command, words]) =>
      `      ${quote(command)}) expects=${quote(listWords(words.flags.flatMap(({ names }) => names)))} ;;`,
  )
  const places = commands.flatMap(({ name: command, arguments: values }) =>
    values.map(
      (value, place) => `      ${quote(`${command} ${place}`)}) expects=${quote(render(value))} ;;`,
    ),
  )
  const names = listWords(commands.map(command => command.name))
  return `\
# bash completion for ${name}, made by: ${name} completion bash
_${name}_containers() {
  local file
  for file in ${quote(registrations)}/*; do
    file=\${file##*/}
    [[ $file == '*' ]] || printf '%s\\n' "\${file%.json}"
  done
}

_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} word command= expects=
  local -i place=0
  # bash splits --option=value.
  [[ $current == = ]] && current=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $word == = ]]; then
      continue
    elif [[ -n $expects ]]; then
      expects=
    elif [[ $word == -* ]]; then
      case "$command $word" in
${values.map(line => `  ${line}`).join('\n')}
      esac
    elif [[ -z $command ]]; then
      command=$word
    else
      place+=1
    fi
  done
  if [[ -n $expects ]]; then
    :
  elif [[ $current == -* ]]; then
    case $command in
${flags.join('\n')}
    esac
  elif [[ -z $command ]]; then
    expects=${quote(names)}
  else
    case "$command $place" in
${places.join('\n')}
    esac
  fi
  case $expects in
    words:*) mapfile -t COMPREPLY < <(compgen -W "\${expects#words:}" -- "$current") ;;
    container) mapfile -t COMPREPLY < <(compgen -W "$(_${name}_containers)" -- "$current") ;;
    directory)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      ;;
    file)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      ;;
    *) COMPREPLY=() ;;
  esac
}

complete -F _${name} ${name}
`
}

/** Returns the patterns of a case in the script, one for each spelling of a command's flag that wants a value. */
const patterns = (command: string, names: readonly string[]) =>
  names.map(name => quote(`${command} ${name}`)).join(' | ')

const render = (value: Value) => (typeof value === 'string' ? value : listWords(value.words))

const listWords = (words: readonly string[]) => `words:${words.join(' ')}`
