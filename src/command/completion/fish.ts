/** A completion script for fish: https://fishshell.com/docs/current/cmds/complete.html. */

import type { Flag, Grammar, Value } from './grammar.ts'

export function renderFish(grammar: Grammar): string {
  const { name, commands, flags, registrations } = grammar
  const finder = `__${name}_command`
  const containers = `__${name}_containers`
  const withValue = flags.filter(({ value }) => value !== undefined).flatMap(({ names }) => names)
  const line = (condition: string, rest: string) =>
    `complete -c ${name} -n ${quote(condition)} ${rest}`
  const none = `not ${finder} >/dev/null`
  const lines = [
    ...flags.map(flag => line(none, renderFlag(flag, containers))),
    ...commands.map(each => line(none, `-a ${quote(each.name)} -d ${quote(each.description)}`)),
    ...commands.flatMap(each => {
      const inside = `contains -- ${each.name} (${finder})`
      return [
        ...each.flags.map(flag => line(inside, renderFlag(flag, containers))),
        ...each.arguments.map(value => line(inside, `-a ${quote(choices(value, containers))}`)),
      ]
    }),
  ]
  return `\
# fish completion for ${name}, made by: ${name} completion fish
function ${containers}
    for file in ${quote(registrations)}/*
        string replace -r '\\.json$' '' (string replace -r '.*/' '' -- $file)
    end
end

# The command that was typed; options before it may have values.
function ${finder}
    set -l is_value 0
    for word in (commandline -opc)[2..-1]
        if test $is_value = 1
            set is_value 0
            continue
        end
        switch $word
            case ${withValue.map(quote).join(' ') || "''"}
                set is_value 1
            case '-*'
            case '*'
                echo $word
                return 0
        end
    end
    return 1
end

complete -c ${name} -f
${lines.join('\n')}
`
}

function renderFlag({ names, description, value }: Flag, containers: string): string {
  const spelled = names.map(each =>
    each.startsWith('--') ? `-l ${quote(each.slice(2))}` : `-s ${quote(each.slice(1))}`,
  )
  // With -x, files are no candidates.
  const wanted =
    value === undefined
      ? []
      : value === 'file'
        ? ['-rF']
        : [`-x -a ${quote(choices(value, containers))}`]
  return [...spelled, ...wanted, `-d ${quote(description)}`].join(' ')
}

function choices(value: Value, containers: string): string {
  if (typeof value !== 'string') return value.words.join(' ')
  const commands = {
    container: `(${containers})`,
    directory: '(__fish_complete_directories)',
    file: '(__fish_complete_path)',
    any: '',
  }
  return commands[value]
}

const quote = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`
