/** A completion script for zsh: zshcompsys(1), _arguments. It can be sourced, or lie in $fpath as _procveil. */

import type { Flag, Grammar, Value, Words } from './grammar.ts'
import { quote } from './quote.ts'

export function renderZsh(grammar: Grammar): string {
  const { name, commands, registrations } = grammar
  const containers = `_${name}_containers`
  const described = commands.map(
    each => `    ${quote(`${each.name.replaceAll(':', '\\:')}:${each.description}`)}`,
  )
  const cases = commands.map(
    command => `    ${quote(command.name)})
      _arguments -s ${specs(command, containers).join(' ')} ;;`,
  )
  return `\
#compdef ${name}
# zsh completion for ${name}, made by: ${name} completion zsh
${containers}() {
  local -a ids
  ids=(${quote(registrations)}/*(N:t))
  compadd -- \${ids%.json}
}

_${name}_commands() {
  local -a commands
  commands=(
${described.join('\n')}
  )
  _describe command commands
}

_${name}() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C ${grammar.flags.flatMap(flag => flagSpecs(flag, containers)).join(' ')} \\
    ${quote(`1: :_${name}_commands`)} '*:: :->rest'
  [[ $state == rest ]] || return
  case $line[1] in
${cases.join('\n')}
  esac
}

if [[ \${funcstack[1]} == _${name} ]]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`
}

function specs(words: Words, containers: string): string[] {
  return [
    ...words.flags.flatMap(flag => flagSpecs(flag, containers)),
    ...words.arguments.map((value, at) => quote(`${at + 1}: :${action(value, containers)}`)),
  ]
}

/** Returns a specification for each spelling of a flag; each spelling excludes the others. */
function flagSpecs({ names, description, value }: Flag, containers: string): string[] {
  const text = description.replace(/[[\]\\:]/g, '\\$&')
  const ending = value === undefined ? '' : `: :${action(value, containers)}`
  return names.map(name => {
    const spelling = value !== undefined && name.startsWith('--') ? `${name}=` : name
    return quote(`(${names.join(' ')})${spelling}[${text}]${ending}`)
  })
}

function action(value: Value, containers: string): string {
  if (typeof value !== 'string') return `(${value.words.join(' ')})`
  const actions = { container: containers, file: '_files', directory: '_files -/', any: ' ' }
  return actions[value]
}
