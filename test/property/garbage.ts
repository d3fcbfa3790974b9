/** What may be found in a file instead of what the kernel should have written there. */

import fc from 'fast-check'
import { EIO } from './memory-host.ts'

type Damage = (text: string) => string | typeof EIO | undefined

const always = (text: string | typeof EIO | undefined): Damage =>
  Object.assign(() => text, named(text))

/** For fast-check's report. */
const named = (what: unknown) => ({ [fc.toStringMethod]: () => `Damage(${fc.stringify(what)})` })

const make = (what: string, damage: Damage): Damage => Object.assign(damage, named(what))

const WHOLE: readonly (string | typeof EIO | undefined)[] = [
  undefined,
  EIO,
  '',
  '\n',
  ' ',
  'max\n',
  '-1\n',
  '0\n',
  '1e9\n',
  '0x10\n',
  'NaN\n',
  'Infinity\n',
  '-9223372036854775808\n',
  '18446744073709551615\n',
  '99999999999999999999\n',
  `${'9'.repeat(400)}\n`,
  '\0\0\0\n',
  '\uFFFD\uFFFD',
  'some avg10=\n',
  '0-4294967295\n',
]

export const anyDamage: fc.Arbitrary<Damage> = fc.oneof(
  fc.constantFrom(...WHOLE.map(always)),
  fc.uint8Array({ maxLength: 30 }).map(bytes => always(Buffer.from(bytes).toString('utf8'))),
  fc.string({ unit: fc.constantFrom(...'0123456789 -,:.=\n\0max'), maxLength: 30 }).map(always),
  fc.nat(300).map(at => make(`cut at ${at}`, text => text.slice(0, at))),
  fc.nat(300).map(at => make(`NUL at ${at}`, text => `${text.slice(0, at)}\0${text.slice(at)}`)),
  fc.nat(300).map(at => make(`minus at ${at}`, text => `${text.slice(0, at)}-${text.slice(at)}`)),
  fc.nat(20).map(at => make(`huge number ${at}`, text => hugeNumber(text, at))),
  fc.constantFrom(
    make('CRLF', text => text.replaceAll('\n', '\r\n')),
    make('no newline', text => text.replace(/\n$/, '')),
    make('twice', text => text + text),
    make('blank lines', text => text.replaceAll('\n', '\n\n')),
    make('without its blanks', text => text.replaceAll(' ', '')),
  ),
)

function hugeNumber(text: string, at: number): string {
  let i = 0
  return text.replace(/\d+/g, digits => (i++ === at ? '18446744073709551615' : digits))
}
