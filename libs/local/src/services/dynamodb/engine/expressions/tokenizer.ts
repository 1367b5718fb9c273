/** A piece of an expression, and its position in the text. */
export interface Token {
  kind: 'name' | 'placeholder' | 'value' | 'number' | 'symbol' | 'end';
  text: string;
  start: number;
}

const pattern =
  /\s+|(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<placeholder>#[A-Za-z0-9_]+)|(?<value>:[A-Za-z0-9_]+)|(?<number>\d+)|(?<symbol><>|<=|>=|[=<>()[\],.+-])/y;

/** The token at which an expression stopped making sense. */
export class SyntaxProblem extends Error {
  readonly token: Token;

  constructor(token: Token) {
    super(`Unexpected ${token.text}`);
    this.token = token;
  }
}

/** Programs use the same few expressions again and again. */
const known = new Map<string, readonly Token[]>();
const MAX_KNOWN = 1_000;

/** Splits an expression. The last token is always the end. @throws SyntaxProblem at a character that no token begins with */
export function tokenize(expression: string): readonly Token[] {
  const found = known.get(expression);
  if (found) return found;
  const tokens = split(expression);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(expression, tokens);
  return tokens;
}

function split(expression: string): Token[] {
  const tokens: Token[] = [];
  let start = 0;
  while (start < expression.length) {
    pattern.lastIndex = start;
    const match = pattern.exec(expression);
    if (!match) throw new SyntaxProblem({ kind: 'symbol', text: expression[start] ?? '', start });
    const [text] = match;
    const [kind] = Object.entries(match.groups ?? {}).find(([, group]) => group !== undefined) ?? [];
    if (kind) tokens.push({ kind: kind as Token['kind'], text, start });
    start += text.length;
  }
  return [...tokens, { kind: 'end', text: '<EOF>', start }];
}

/** What DynamoDB quotes beside the token: it, the one before and the one after, as the text has them. */
export function textNear(expression: string, token: Token): string {
  let tokens: readonly Token[];
  try {
    tokens = tokenize(expression);
  } catch {
    tokens = [];
  }
  const index = tokens.findIndex(({ start }) => start === token.start);
  if (index < 0) return expression.slice(Math.max(0, token.start - 1), token.start + 2);
  const first = tokens[Math.max(0, index - 1)] ?? token;
  const last = tokens[Math.min(tokens.length - 1, index + 1)] ?? token;
  return expression.slice(first.start, last.kind === 'end' ? undefined : last.start + last.text.length);
}
