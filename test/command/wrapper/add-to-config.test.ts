import fc from 'fast-check'
import t from 'tap'
import { GUARDED_HOOK, hookOf } from '../../../src/command/hooks/entry.ts'
import { addToConfig } from '../../../src/command/wrapper/add-to-config.ts'

const HOOKS = { createRuntime: hookOf('/x/procveil', []), poststop: GUARDED_HOOK }
const { createRuntime, poststop } = HOOKS
const [CREATE, STOP] = [createRuntime, poststop].map(hook => JSON.stringify(hook))
const BOTH = `"createRuntime":[${CREATE}],"poststop":[${STOP}]`
const OTHER = '{"path":"/usr/bin/nvidia-hook"}'

t.test('the hooks stand behind those that are there, and no other byte changes', async t => {
  const cases: readonly [string, string][] = [
    ['{}', `{"hooks": {${BOTH}}}`],
    ['{"ociVersion":"1.0.2"}\n', `{"ociVersion":"1.0.2","hooks": {${BOTH}}}\n`],
    ['{\r\n\t"a" : 1\r\n}\r\n', `{\r\n\t"a" : 1,"hooks": {${BOTH}}\r\n}\r\n`],
    ['{"hooks":{},"b":1}', `{"hooks":{"createRuntime": [${CREATE}],"poststop": [${STOP}]},"b":1}`],
    ['{"hooks": null }', `{"hooks": {${BOTH}} }`],
    [
      `{"hooks":{"createRuntime":[ ${OTHER} ], "poststop": null}}`,
      `{"hooks":{"createRuntime":[ ${OTHER},${CREATE} ], "poststop": [${STOP}]}}`,
    ],
    [
      `{"hooks":{"prestart":[${OTHER}],"poststop":[ ]}}`,
      `{"hooks":{"prestart":[${OTHER}],"poststop":[${STOP} ],"createRuntime": [${CREATE}]}}`,
    ],
  ]
  for (const [before, after] of cases) t.equal(addToConfig(before, HOOKS), after, before)
})

t.test('what JSON.parse would lose stays', async t => {
  const odd =
    '{"n":12345678901234567890123,"e":1E400,"z":-0.0,"k":1,"k":2,"u":"\\u00e9\xe9\xff\x85","s":"\\/"'
  t.equal(addToConfig(`${odd}}`, HOOKS), `${odd},"hooks": {${BOTH}}}`)
})

t.test('one that has the hook, in whatever stage and form, is left alone', async t => {
  for (const stage of ['prestart', 'createRuntime', 'createContainer', 'poststop']) {
    for (const ours of [CREATE, STOP, '{"path":"/opt/hook","args":["procveil","hook"]}']) {
      const text = `{"hooks":{"${stage}":[${OTHER},${ours}]}}`
      t.equal(addToConfig(text, HOOKS), undefined, text)
    }
  }
  const added = addToConfig('{"a":1}', HOOKS)
  t.equal(addToConfig(added ?? '', HOOKS), undefined, 'also one that it has itself made')
})

t.test('what is not clear is refused, with the reason', async t => {
  const cases: readonly [string, RegExp][] = [
    ['', /no JSON/],
    ['{', /no JSON/],
    ['{"a":1,}', /no JSON/],
    ['// a\n{}', /no JSON/],
    ['\xef\xbb\xbf{}', /no JSON/],
    ['[]', /no JSON object/],
    ['{"hooks":[]}', /hooks is no object but \[\]/],
    ['{"hooks":{"poststop":{}}}', /hooks.poststop is no list but {}/],
    ['{"hooks":{},"hooks":{"x":[]}}', /the keys \["hooks","hooks"\]/],
    ['{"Hooks":{}}', /the keys \["Hooks"\]/],
    ['{"hooks":{"createruntime":[]}}', /the keys \["createruntime"\]/],
    [`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, /./],
  ]
  for (const [text, message] of cases) t.throws(() => addToConfig(text, HOOKS), { message })
})

const blank = fc.stringMatching(/^[ \t\r\n]{0,3}$/)
const list = fc.constantFrom('[]', '[ ]', `[${OTHER}]`, `[${OTHER} , ${OTHER}\n]`)
const stages = fc.uniqueArray(
  fc.tuple(fc.constantFrom('createRuntime', 'poststop', 'prestart', 'poststart'), list, blank),
  { selector: ([stage]) => stage, maxLength: 4 },
)
const hooks = stages.map(each =>
  each.map(([stage, text, gap]) => `${gap}"${stage}"${gap}:${gap}${text}`).join(','),
)
const values = fc
  .uniqueArray(fc.tuple(fc.string(), fc.jsonValue(), blank), {
    selector: ([key]) => key.toLowerCase(),
    maxLength: 5,
  })
  .map(each => each.filter(([key]) => key.toLowerCase() !== 'hooks'))

t.test('whatever a config.json says, it says that and the hooks', async t => {
  fc.assert(
    fc.property(values, fc.option(hooks), fc.nat(), blank, (others, inner, at, gap) => {
      const members = others.map(([key, value, blanks]) => {
        // Bytes, as the file is read.
        const text = `${blanks}${JSON.stringify(key)}${blanks}:${blanks}${JSON.stringify(value)}`
        return Buffer.from(text).toString('latin1')
      })
      if (inner !== null) members.splice(at % (members.length + 1), 0, `"hooks":{${inner}${gap}}`)
      const before = `{${members.join(',')}${gap}}${gap}`
      const after = addToConfig(before, HOOKS) ?? ''
      const { hooks: had, ...old } = JSON.parse(before)
      const { hooks: has, ...now } = JSON.parse(after)
      t.strictSame(now, old)
      const wanted = {
        ...had,
        createRuntime: [...(had?.createRuntime ?? []), createRuntime],
        poststop: [...(had?.poststop ?? []), poststop],
      }
      if (JSON.stringify(sorted(has)) !== JSON.stringify(sorted(wanted))) return false
      return isInserted(before, after)
    }),
  )
})

const sorted = (object: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(object).sort())

/** Whether the one text is the other with something put in at two places at most. */
function isInserted(before: string, after: string): boolean {
  let [start, end] = [0, 0]
  while (start < before.length && before[start] === after[start]) start++
  while (end < before.length - start && before.at(-1 - end) === after.at(-1 - end)) end++
  const middle = before.slice(start, before.length - end)
  return after.slice(start, after.length - end).includes(middle)
}
