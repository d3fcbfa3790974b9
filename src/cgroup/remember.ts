/** Texts that stay the same from reading to reading are parsed once. */

/** As `parse`, which is not asked again about the text that came last. Nobody may change its result. */
export function remember<Text extends string | undefined, T>(
  parse: (text: Text) => T,
): (text: Text) => T {
  let last: { text: Text; value: T } | undefined
  return text => {
    if (last === undefined || last.text !== text) last = { text, value: parse(text) }
    return last.value
  }
}
