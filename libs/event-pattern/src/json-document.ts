/** Any value of a parsed JSON text, as `JSON.parse` gives it. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue };

/** A JSON value that has kept what `JSON.parse` loses: duplicate names, number literals, and the text of every container. */
export type JsonNode = JsonScalar | JsonArray | JsonObject;

export type JsonScalar = string | boolean | null | JsonNumber;

export class JsonNumber {
  /** The literal as written, e.g. `3.0e2`. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The double that equals the literal exactly, or undefined where there is none (`1e400`, `9007199254740993`). */
  get exact(): number | undefined {
    const value = Number(this.text);
    if (!Number.isFinite(value)) return undefined;
    return String(value) === this.text || decimalForm(String(value)) === decimalForm(this.text) ? value : undefined;
  }
}

export class JsonArray {
  readonly items: readonly JsonNode[];
  readonly text: string;

  constructor(items: readonly JsonNode[], text: string) {
    this.items = items;
    this.text = text;
  }
}

export class JsonObject {
  /** The members in the order written; a name may stand there more than once. */
  readonly members: readonly (readonly [name: string, value: JsonNode])[];
  readonly text: string;

  constructor(members: readonly (readonly [name: string, value: JsonNode])[], text: string) {
    this.members = members;
    this.text = text;
  }

  /** The value of a member, the last one where the name is duplicated, as `JSON.parse` has it. */
  get(name: string): JsonNode | undefined {
    return this.members.findLast((member) => member[0] === name)?.[1];
  }
}

/**
 * Reads one JSON text (RFC 8259), strictly.
 * @throws SyntaxError where it is not JSON, or is nested deeper than 1,000 levels.
 */
export function parseJson(text: string): JsonNode {
  return new JsonReader(text).document();
}

/** The JSON text of a value: containers and numbers exactly as they were written, strings quoted anew. */
export function jsonText(node: JsonNode): string {
  return node === null || typeof node !== 'object' ? JSON.stringify(node) : node.text;
}

const maximumDepth = 1000;
const numberLiteral = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const literals = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

class JsonReader {
  readonly #text: string;
  #position = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonNode {
    const node = this.#value();
    this.#skipWhitespace();
    if (this.#position < this.#text.length) throw this.#unexpected();
    return node;
  }

  #value(): JsonNode {
    this.#skipWhitespace();
    const code = this.#text.charCodeAt(this.#position);
    if (code === quote) return this.#string();
    if (code === openBrace) return this.#object();
    if (code === openBracket) return this.#array();
    for (const [word, value] of literals) {
      if (this.#text.startsWith(word, this.#position)) {
        this.#position += word.length;
        return value;
      }
    }
    numberLiteral.lastIndex = this.#position;
    const number = numberLiteral.exec(this.#text)?.[0];
    if (number === undefined) throw this.#unexpected();
    this.#position += number.length;
    return new JsonNumber(number);
  }

  #object(): JsonObject {
    const start = this.#enter();
    const members: [string, JsonNode][] = [];
    if (!this.#take(closeBrace)) {
      do {
        this.#skipWhitespace();
        if (this.#text.charCodeAt(this.#position) !== quote) throw this.#unexpected();
        const name = this.#string();
        this.#expect(colon);
        members.push([name, this.#value()]);
      } while (this.#take(comma));
      this.#expect(closeBrace);
    }
    this.#depth -= 1;
    return new JsonObject(members, this.#text.slice(start, this.#position));
  }

  #array(): JsonArray {
    const start = this.#enter();
    const items: JsonNode[] = [];
    if (!this.#take(closeBracket)) {
      do items.push(this.#value());
      while (this.#take(comma));
      this.#expect(closeBracket);
    }
    this.#depth -= 1;
    return new JsonArray(items, this.#text.slice(start, this.#position));
  }

  #string(): string {
    const start = this.#position;
    let escaped = false;
    for (let position = start + 1; position < this.#text.length; position += 1) {
      const code = this.#text.charCodeAt(position);
      if (code === quote) {
        this.#position = position + 1;
        // JSON.parse knows the escapes; almost no string has one.
        return escaped ? JSON.parse(this.#text.slice(start, position + 1)) : this.#text.slice(start + 1, position);
      }
      if (code < 0x20) break;
      if (code === backslash) {
        escaped = true;
        position += 1;
      }
    }
    throw new SyntaxError(`Unterminated string at position ${start}`);
  }

  #enter(): number {
    this.#depth += 1;
    if (this.#depth > maximumDepth) throw new SyntaxError(`Nested deeper than ${maximumDepth} levels`);
    this.#position += 1;
    return this.#position - 1;
  }

  #take(code: number): boolean {
    this.#skipWhitespace();
    if (this.#text.charCodeAt(this.#position) !== code) return false;
    this.#position += 1;
    return true;
  }

  #expect(code: number): void {
    if (!this.#take(code)) throw this.#unexpected();
  }

  #skipWhitespace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#position += 1;
    }
  }

  #unexpected(): SyntaxError {
    const found = this.#text[this.#position];
    return new SyntaxError(
      found === undefined
        ? 'Unexpected end of input'
        : `Unexpected character ${JSON.stringify(found)} at position ${this.#position}`,
    );
  }
}

/** One spelling for all literals of the same number: digits without zeros at either end, and the power of ten. */
function decimalForm(literal: string): string {
  const [mantissa = '', power = '0'] = literal.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const exponent = Number(power) - fraction.length + (digits.length - significant.length);
  return `${mantissa.startsWith('-') ? '-' : ''}${significant}e${exponent}`;
}
