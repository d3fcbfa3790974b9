/**
 * Text for terminals and logs. A part of it comes from containers and users: an id, an annotation, a path, what a file
 * holds. None of that may steer a terminal, or look like another line.
 */

/** Control characters, those that turn the direction of text or are not seen, and ends of lines and paragraphs. */
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** The same without the end of a line and the tab. */
const STEERING_LINES = /[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}]/gu

/** One line. */
export const printable = (text: string): string => text.replace(STEERING, '?')

/** Lines that we have made ourselves. */
export const printableLines = (text: string): string => text.replace(STEERING_LINES, '?')

/** JSON that says the same, in characters that steer nothing. */
export function printableJson(value: unknown, indent = 2): string {
  const text = JSON.stringify(value, undefined, indent)
  return text.replace(STEERING_LINES, character =>
    // Of a character beyond 16 bits JSON escapes both halves.
    Array.from({ length: character.length }, (_, at) => escapeUnit(character, at)).join(''),
  )
}

const escapeUnit = (text: string, at: number) =>
  `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`
