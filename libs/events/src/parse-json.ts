/** JSON with a string that is not valid Unicode: an escape such as `\ud800` without its other half. */
export class NotUnicodeError extends SyntaxError {
  override readonly name = 'NotUnicodeError';
}

/** Only an escape can bring half of a surrogate pair: bytes that are no UTF-8 were replaced when they became text. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/**
 * Parses JSON that others sent. Every string in it is Unicode, as I-JSON wants it: DynamoDB takes no other.
 * https://www.rfc-editor.org/rfc/rfc7493#section-2.1
 * @throws SyntaxError if it is not JSON, NotUnicodeError
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (SURROGATE_ESCAPE.test(text) && !isUnicode(value)) throw new NotUnicodeError('Half of a surrogate pair');
  return value;
}

/** Without recursion: what others send may be deeper than the stack. */
function isUnicode(value: unknown): boolean {
  const pending = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next === 'string') {
      if (!next.isWellFormed()) return false;
    } else if (typeof next === 'object' && next !== null) {
      for (const [name, member] of Object.entries(next)) pending.push(name, member);
    }
  }
  return true;
}
