/** One value of a series, or nothing where a period has no data. */
export type Datapoint = number | undefined;

/** An expression of metric math, ready to be evaluated for one period after the other. */
export interface Expression {
  /** The ids of the metrics and expressions it refers to. */
  references: ReadonlySet<string>;
  /** @param read gives the value that an id has in the period */
  evaluate: (read: (id: string) => Datapoint) => Datapoint;
}

type Evaluate = Expression['evaluate'];

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|([A-Za-z]\w*)|(&&|\|\||==|!=|<=|>=|[-+*/^<>(),]))/y;

/** From what binds least to what binds most. */
const LEVELS: ReadonlyArray<Readonly<Record<string, (a: number, b: number) => number | boolean>>> = [
  { OR: (a, b) => a !== 0 || b !== 0, '||': (a, b) => a !== 0 || b !== 0 },
  { AND: (a, b) => a !== 0 && b !== 0, '&&': (a, b) => a !== 0 && b !== 0 },
  {
    '==': (a, b) => a === b,
    '!=': (a, b) => a !== b,
    '<=': (a, b) => a <= b,
    '>=': (a, b) => a >= b,
    '<': (a, b) => a < b,
    '>': (a, b) => a > b,
  },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => a * b, '/': (a, b) => a / b },
  { '^': (a, b) => a ** b },
];

/**
 * Reads an expression of CloudWatch's metric math that works on one period at a time: numbers, ids, parentheses,
 * arithmetic, comparisons, AND and OR, `IF(condition, then, else)` and `FILL(metric, number)`. A value that is missing
 * makes every result of it missing, but FILL's.
 *
 * @throws Error that says what it cannot evaluate, e.g. a function that looks at the whole series
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
export function parseExpression(text: string): Expression {
  const tokens = tokensOf(text);
  const references = new Set<string>();
  let position = 0;
  const taken = (token: string): boolean => {
    if (tokens[position] !== token) return false;
    position += 1;
    return true;
  };
  const expect = (token: string): void => {
    if (!taken(token)) throw new Error(`"${token}" is missing before "${tokens[position] ?? 'the end'}"`);
  };

  function operation(level: number): Evaluate {
    const operators = LEVELS[level];
    if (!operators) return operand();
    let left = operation(level + 1);
    for (let operator = operators[tokens[position] ?? '']; operator; operator = operators[tokens[position] ?? '']) {
      position += 1;
      left = binary(operator, left, operation(level + 1));
    }
    return left;
  }

  function operand(): Evaluate {
    const token = tokens[position];
    position += 1;
    if (token === undefined) throw new Error('it ends too early');
    if (token === '-') {
      const value = operand();
      return (read) => negative(value(read));
    }
    if (token === '(') {
      const inner = operation(0);
      expect(')');
      return inner;
    }
    if (/^\d/.test(token)) return () => Number(token);
    if (!/^[A-Za-z]/.test(token)) throw new Error(`"${token}" is in the wrong place`);
    if (taken('(')) return call(token, listOfArguments());
    references.add(token);
    return (read) => read(token);
  }

  function listOfArguments(): Evaluate[] {
    const list = [operation(0)];
    while (taken(',')) list.push(operation(0));
    expect(')');
    return list;
  }

  const evaluate = operation(0);
  if (position < tokens.length) throw new Error(`"${tokens[position]}" is in the wrong place`);
  return { references, evaluate };
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const rest = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < rest.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(rest);
    if (!match) throw new Error(`"${rest.slice(at).trim().slice(0, 20)}" is not understood`);
    tokens.push(match[0].trim());
  }
  return tokens;
}

function binary(operator: (a: number, b: number) => number | boolean, left: Evaluate, right: Evaluate): Evaluate {
  return (read) => {
    const a = left(read);
    const b = right(read);
    if (a === undefined || b === undefined) return undefined;
    const value = Number(operator(a, b));
    return Number.isFinite(value) ? value : undefined;
  };
}

function negative(value: Datapoint): Datapoint {
  return value === undefined ? undefined : -value;
}

function call(name: string, list: Evaluate[]): Evaluate {
  const [first, second, third] = list;
  if (name === 'IF' && first && second && list.length <= 3) {
    return (read) => {
      const condition = first(read);
      if (condition === undefined) return undefined;
      return condition === 0 ? third?.(read) : second(read);
    };
  }
  if (name === 'FILL' && first && second && list.length === 2) return (read) => first(read) ?? second(read);
  throw new Error(`${name} of ${list.length} is not available`);
}
