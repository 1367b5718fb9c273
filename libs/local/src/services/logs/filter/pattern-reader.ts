import { AwsError } from '../../../core/aws-error.ts';

/** Reads a pattern from its beginning to its end. */
export class PatternReader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#text.length;
  }

  skipSpace(): void {
    this.take(/\s*/y);
  }

  /**
   * Takes what an expression matches here.
   * @param expression sticky
   */
  take(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#position;
    const match = expression.exec(this.#text);
    if (!match) return undefined;
    this.#position = expression.lastIndex;
    return match;
  }

  /** Takes a mark, with the space before it. */
  takeMark(mark: string): boolean {
    this.skipSpace();
    if (!this.#text.startsWith(mark, this.#position)) return false;
    this.#position += mark.length;
    return true;
  }

  /** @throws AwsError InvalidParameterException when the mark is not here */
  expect(mark: string): void {
    if (!this.takeMark(mark)) throw this.unexpected();
  }

  /** The error about the character that is here. */
  unexpected(): AwsError {
    this.skipSpace();
    const character = this.#text[this.#position];
    const message = character === undefined ? 'Invalid filter pattern' : `Invalid character(s) in term '${character}'`;
    return new AwsError('InvalidParameterException', message);
  }
}

/**
 * Makes a regular expression of what is between percent signs.
 * @throws AwsError InvalidParameterException
 */
export function regularExpression(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch {
    // AWS takes escapes that the strict mode of JavaScript refuses.
    try {
      return new RegExp(text);
    } catch {
      throw new AwsError('InvalidParameterException', `Invalid regex pattern: ${text}`);
    }
  }
}

/** The text of a quoted string. */
export function unquoted(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(.)/gs, '$1');
}
