/** Which pods get our files by NRI: a JSON object such as `{ "pods": "all", "exceptNamespaces": ["kube-system"] }`. */

import { absoluteOf, arrayOf, check, parseObject, quote, textOf } from '../host/json.ts'

const PODS = ['annotated', 'all'] as const

export interface Rules {
  /** `all` but those that opt out, or only those that are `annotated` to have them. */
  pods: (typeof PODS)[number]
  /** Namespaces whose pods count as not annotated, where `pods` is `all`. */
  exceptNamespaces: readonly string[]
  /** The runtime's socket, where it is none of the usual ones. */
  socket: string | undefined
}

const READERS: { [Name in keyof Rules]: (value: unknown) => Rules[Name] | undefined } = {
  pods: value => PODS.find(each => each === value),
  exceptNamespaces: value => {
    const names = arrayOf(value)?.map(textOf)
    return names?.every(name => name !== undefined) ? names : undefined
  },
  socket: absoluteOf,
}

const DEFAULTS: Rules = { pods: 'annotated', exceptNamespaces: [], socket: undefined }

/** Throws a SyntaxError for anything but rules. */
export function parseRules(text: string, where: string): Rules {
  const action = `read ${where}`
  const fields = parseObject(action, text)
  const said = Object.entries(fields).map(([name, value]) => {
    if (!Object.hasOwn(READERS, name)) {
      throw new SyntaxError(
        `Cannot ${action}: it has ${quote(name)}, and known are ${Object.keys(READERS).join(', ')}`,
      )
    }
    return [name, check<unknown>(action, name, value, READERS[name as keyof Rules])]
  })
  return { ...DEFAULTS, ...Object.fromEntries(said) }
}

export function renderRules({ socket, ...rules }: Rules): string {
  return `${JSON.stringify(socket === undefined ? rules : { ...rules, socket }, undefined, 2)}\n`
}
