/** Quotes a word of a shell's script, whatever is in it. bash and zsh quote in the same way. */

export const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
