/** The condition keys of one request with their values; the keys in lower case, as they are compared without case. */
export type RequestContext = ReadonlyMap<string, readonly string[]>;

const anyText = Symbol('*');
const anyCharacter = Symbol('?');

/** What a value looks like: its characters, with placeholders for any text and any one character. */
export type Glob = readonly (string | typeof anyText | typeof anyCharacter)[];

type Part = Glob[number] | { readonly key: string; readonly fallback: string | undefined };

const variable = /^\$\{\s*([^},\s]+)\s*(?:,\s*'([^']*)'\s*)?\}/;
const escapes: ReadonlySet<string> = new Set(['*', '?', '$']);

/** A text of a policy: a pattern that may have wildcards and variables in it. */
export class PolicyText {
  readonly #parts: readonly Part[];
  readonly #glob: Glob | undefined;

  private constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.#glob = parts.some((part) => typeof part === 'object') ? undefined : (parts as Glob);
  }

  /**
   * Reads a text. `${*}`, `${?}` and `${$}` are the characters themselves.
   * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
   * @param wildcards whether `*` and `?` are wildcards in it
   * @param variables whether `${…}` is a variable: not in policies of version 2008-10-17
   */
  static parse(text: string, { wildcards, variables }: { wildcards: boolean; variables: boolean }): PolicyText {
    const parts: Part[] = [];
    for (let index = 0; index < text.length; ) {
      const [found, key, fallback] = (variables && variable.exec(text.slice(index))) || [];
      if (found !== undefined && key !== undefined) {
        parts.push(escapes.has(key) ? key : { key: key.toLowerCase(), fallback });
        index += found.length;
        continue;
      }
      const character = text[index] ?? '';
      if (wildcards && character === '*') parts.push(anyText);
      else if (wildcards && character === '?') parts.push(anyCharacter);
      else parts.push(character);
      index += 1;
    }
    return new PolicyText(parts);
  }

  /** The pieces between the colons written in the text, at most `limit`; the last one keeps its colons. */
  splitAtColons(limit: number): PolicyText[] {
    const pieces: Part[][] = [[]];
    for (const part of this.#parts) {
      if (part === ':' && pieces.length < limit) pieces.push([]);
      else pieces.at(-1)?.push(part);
    }
    return pieces.map((parts) => new PolicyText(parts));
  }

  /** The text with the request's values in the places of its variables; undefined where the request lacks one. */
  resolve(context: RequestContext): Glob | undefined {
    if (this.#glob) return this.#glob;
    const glob: Glob[number][] = [];
    for (const part of this.#parts) {
      if (typeof part !== 'object') glob.push(part);
      else {
        const value = context.get(part.key)?.[0] ?? part.fallback;
        if (value === undefined) return undefined;
        glob.push(...value);
      }
    }
    return glob;
  }

  /** Whether a value is what the text says. Where the request lacks a variable of it, nothing is. */
  matches(value: string, context: RequestContext, { ignoreCase = false } = {}): boolean {
    const glob = this.resolve(context);
    if (!glob) return false;
    if (!ignoreCase) return matchesGlob(glob, value);
    const lowerCase = glob.map((part) => (typeof part === 'string' ? part.toLowerCase() : part));
    return matchesGlob(lowerCase, value.toLowerCase());
  }
}

/** Takes time in proportion to pattern and value multiplied, at worst: only the last `*` is ever returned to. */
function matchesGlob(glob: Glob, value: string): boolean {
  let position = 0;
  let part = 0;
  let lastAny = -1;
  let resumeAt = 0;
  while (position < value.length) {
    const expected = glob[part];
    if (expected === anyText) {
      lastAny = part;
      resumeAt = position;
      part += 1;
    } else if (expected === anyCharacter || (expected !== undefined && expected === value[position])) {
      part += 1;
      position += 1;
    } else if (lastAny >= 0) {
      part = lastAny + 1;
      resumeAt += 1;
      position = resumeAt;
    } else return false;
  }
  while (glob[part] === anyText) part += 1;
  return part === glob.length;
}
