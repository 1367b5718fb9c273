/** C0 and C1 controls, DEL, bidi and zero-width characters, and what some programs take for the end of a line. */
const unprintable = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * A value as JSON that is safe to print: every character that a terminal may act on, or not show, is escaped. Parsing it
 * gives the same value. `JSON.stringify` alone escapes the controls up to U+001F and lets those from U+007F on through.
 *
 * @param indent spaces for each level; without it the JSON is one line
 * @returns JSON text
 * @example
 * jsonText({ name: '\u009b31m' }); // {"name":"\u009b31m"} with a backslash
 */
export function jsonText(value: unknown, indent?: number): string {
  // Indented JSON has line breaks only between its strings, so every other control character is inside one.
  return JSON.stringify(value, null, indent).replace(unprintable, (character) =>
    character === '\n' ? character : escaped(character),
  );
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}
