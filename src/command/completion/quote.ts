/** A word of a shell's script, whatever is in it: the same for bash and zsh. */

export const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
