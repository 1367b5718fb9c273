import { RuntimeFailure } from '../failure.ts';
import type { Json } from '../json.ts';
import type { Scope } from '../scope.ts';
import { IntrinsicError, intrinsicFunctions } from './intrinsic-functions.ts';
import { PathError } from './json-path.ts';
import { parsePath, readPath, rootOf } from './path-expression.ts';

/** AWS takes no deeper nesting. */
const MAXIMUM_DEPTH = 10;

/** Computes an argument or a call. */
type Part = (scope: Scope) => Json;

/**
 * Compiles a call such as `States.Format('Hello {}', $.name)`.
 * @throws Error for a function that is not known, or arguments that cannot be read
 * https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
 */
export function compileIntrinsic(text: string): (scope: Scope) => Json {
  const part = new IntrinsicParser(text).parse();
  return (scope) => {
    try {
      return part(scope);
    } catch (error) {
      if (!(error instanceof IntrinsicError || error instanceof PathError)) throw error;
      throw new RuntimeFailure(`The function '${text}' had the following error: ${error.message}`);
    }
  };
}

class IntrinsicParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Part {
    const part = this.#call(1);
    this.#skipSpace();
    if (this.#at !== this.#text.length) throw this.#invalid('unexpected text behind the call');
    return part;
  }

  #call(depth: number): Part {
    const name = this.#match(/[A-Za-z]\w*(?:\.\w+)*/y) ?? '';
    const found = intrinsicFunctions[name];
    if (!found) throw this.#invalid(`${name || 'the text'} is not an intrinsic function`);
    if (depth > MAXIMUM_DEPTH) throw this.#invalid(`calls are nested more than ${MAXIMUM_DEPTH} times`);
    const values = this.#arguments(depth);
    if (values.length < found.from || values.length > found.to)
      throw this.#invalid(`${name} does not take ${values.length} arguments`);
    return (scope) =>
      found.run(
        values.map((value) => value(scope)),
        scope.chance,
      );
  }

  #arguments(depth: number): Part[] {
    if (!this.#takes('(')) throw this.#invalid('( is missing');
    const values: Part[] = [];
    if (this.#takes(')')) return values;
    do values.push(this.#argument(depth));
    while (this.#takes(','));
    if (!this.#takes(')')) throw this.#invalid(') is missing');
    return values;
  }

  #argument(depth: number): Part {
    this.#skipSpace();
    const quoted = this.#match(/'(?:\\[\s\S]|[^'\\])*'/y);
    if (quoted !== undefined) return constant(this.#unescape(quoted.slice(1, -1)));
    const literal = this.#match(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true\b|false\b|null\b/y);
    if (literal !== undefined) return constant(JSON.parse(literal) as Json);
    if (this.#text[this.#at] !== '$') return this.#call(depth + 1);
    return this.#path();
  }

  /** Ends at a comma or bracket outside of quotes and brackets of its own. */
  #path(): Part {
    const start = this.#at;
    const path = this.#match(/(?:\[(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^\]'"])*\]|\w+\(\)|[^,()\s[])+/y);
    if (path === undefined) throw this.#invalid(`no argument at ${start}`);
    const expression = parsePath(path);
    return (scope) => {
      try {
        return readPath(expression, scope);
      } catch (error) {
        if (!(error instanceof PathError)) throw error;
        const input = JSON.stringify(rootOf(expression, scope));
        throw new IntrinsicError(
          `The JsonPath argument for the field '${path}' could not be found in the input '${input}'`,
        );
      }
    };
  }

  /** A backslash takes a quote and itself away; braces are left to States.Format. */
  #unescape(text: string): string {
    const illegal = /\\([A-Za-z0-9])/.exec(text.replaceAll('\\\\', ''))?.[1];
    if (illegal !== undefined) throw this.#invalid(`\\${illegal} is not an escape`);
    return text.replace(/\\(['\\])/g, '$1');
  }

  #takes(char: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #skipSpace(): void {
    this.#match(/\s*/y);
  }

  #invalid(reason: string): Error {
    return new Error(`The function '${this.#text}' is not valid: ${reason}`);
  }
}

function constant(value: Json): Part {
  return () => value;
}
