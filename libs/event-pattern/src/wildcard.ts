/**
 * Compiles a wildcard expression: `*` stands for any run of characters, `\*` and `\\` for themselves. Matching takes time in
 * proportion to the text, whatever the number of wildcards.
 * @throws Error for two `*` in a row, or a backslash before anything else.
 */
export function compileWildcard(expression: string): (text: string) => boolean {
  const pieces = literalPieces(expression);
  const first = pieces.shift() ?? '';
  const last = pieces.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    const end = text.length - last.length;
    if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    let position = first.length;
    for (const piece of pieces) {
      const found = text.indexOf(piece, position);
      if (found < 0 || found + piece.length > end) return false;
      position = found + piece.length;
    }
    return true;
  };
}

/** The literal text before, between and after the wildcards. */
function literalPieces(expression: string): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (let index = 0; index < expression.length; index += 1) {
    const character = expression[index];
    const next = expression[index + 1];
    if (character === '*') {
      if (next === '*') throw new Error(`Consecutive wildcard characters at pos ${index}`);
      pieces.push(piece);
      piece = '';
    } else if (character === '\\') {
      if (next !== '*' && next !== '\\') throw new Error(`Invalid escape character at pos ${index}`);
      piece += next;
      index += 1;
    } else piece += character;
  }
  return [...pieces, piece];
}
