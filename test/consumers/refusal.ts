/** What checkers of consumers share: how a text is cut, and how one says what it could not read. */

/** `consumer` is the program, `what` the part of the file that it wants. */
export function refuse(consumer: string, what: string, found: string | undefined): never {
  const text = found === undefined ? 'nothing' : JSON.stringify(found.slice(0, 200))
  throw new Error(`${consumer} cannot read ${what}: found ${text}`)
}

/** Without their newlines, as fgets(3), Python and Go see them: none after the last newline. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** As scanf(3), str.split() and strings.Fields() cut a line. */
export function wordsOf(line: string): string[] {
  const trimmed = line.trim()
  return trimmed === '' ? [] : trimmed.split(/\s+/)
}

const U64_END = 2n ** 64n

/** strtoull(3) takes no more than this. */
export function isU64(word: string | undefined): word is string {
  if (word === undefined || !/^\d+$/.test(word)) return false
  return word.length < 20 || BigInt(word) < U64_END
}

/** Numbers of /proc/vmstat by name: each line is a name and a number. */
export function vmstatOf(consumer: string, text: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const line of linesOf(text)) {
    const [name = '', count, ...more] = line.split(' ')
    if (name === '' || !isU64(count) || more.length > 0) refuse(consumer, 'a line of vmstat', line)
    counts.set(name, Number(count))
  }
  return counts
}
