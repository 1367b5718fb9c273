import { type AttributeValue, compareValues, typeOf } from '../attribute-value.ts';
import { type DynamoDbError, validationError } from '../dynamodb-error.ts';
import {
  type Comparator,
  type Condition,
  type Operand,
  type Path,
  type PathStep,
  pathText,
  type Update,
  type UpdateValue,
} from './ast.ts';
import { isReservedWord } from './reserved-words.ts';
import type { Substitutions } from './substitutions.ts';
import { SyntaxProblem, type Token, textNear, tokenize } from './tokenizer.ts';

/** The member of a request that holds an expression: every error message begins with it. */
export type ExpressionKind =
  | 'ConditionExpression'
  | 'FilterExpression'
  | 'KeyConditionExpression'
  | 'ProjectionExpression'
  | 'UpdateExpression';

const MAX_EXPRESSION_BYTES = 4096;
const MAX_IN_CANDIDATES = 100;
/** Operators and functions of an update. */
const MAX_OPERATORS = 300;

const comparators: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);
const conditionFunctions: ReadonlySet<string> = new Set([
  'attribute_exists',
  'attribute_not_exists',
  'attribute_type',
  'begins_with',
  'contains',
]);
const updateFunctions: ReadonlySet<string> = new Set(['if_not_exists', 'list_append']);
const attributeTypes: ReadonlySet<string> = new Set(['S', 'N', 'B', 'BOOL', 'NULL', 'SS', 'NS', 'BS', 'L', 'M']);

/** Functions and the names of AWS for the kinds of operand they do not take. */
const typeNames: Record<string, string> = {
  S: 'STRING',
  N: 'NUMBER',
  B: 'BINARY',
  BOOL: 'BOOLEAN',
  NULL: 'NULL',
  SS: 'STRING_SET',
  NS: 'NUMBER_SET',
  BS: 'BINARY_SET',
  L: 'LIST',
  M: 'MAP',
};

/**
 * Parses a condition, filter or key condition.
 * @throws DynamoDbError ValidationException in AWS's words
 * @example parseCondition('attribute_not_exists(pk)', 'ConditionExpression', substitutions)
 */
export function parseCondition(expression: string, kind: ExpressionKind, substitutions: Substitutions): Condition {
  return parse(expression, kind, substitutions, (parser) => parser.condition());
}

/** Parses an update. @throws as `parseCondition` @example parseUpdate('SET stock = stock - :one', substitutions) */
export function parseUpdate(expression: string, substitutions: Substitutions): Update {
  return parse(expression, 'UpdateExpression', substitutions, (parser) => parser.update());
}

/** Parses a projection. @throws as `parseCondition` @example parseProjection('id, lines[0].sku', substitutions) */
export function parseProjection(expression: string, substitutions: Substitutions): Path[] {
  return parse(expression, 'ProjectionExpression', substitutions, (parser) => parser.projection());
}

function parse<Result>(
  expression: string,
  kind: ExpressionKind,
  substitutions: Substitutions,
  read: (parser: Parser) => Result,
): Result {
  if (expression.trim() === '') throw invalid(kind, 'The expression can not be empty;');
  const bytes = Buffer.byteLength(expression);
  if (bytes > MAX_EXPRESSION_BYTES) {
    throw invalid(kind, `Expression size has exceeded the maximum allowed size; expression size: ${bytes}`);
  }
  try {
    const parser = new Parser(tokenize(expression), kind, substitutions);
    const result = read(parser);
    parser.expectEnd();
    return result;
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    const { token } = error;
    throw invalid(kind, `Syntax error; token: "${token.text}", near: "${textNear(expression, token)}"`);
  }
}

function invalid(kind: ExpressionKind, problem: string): DynamoDbError {
  return validationError(`Invalid ${kind}: ${problem}`);
}

/** A parser by recursive descent over the tokens of one expression. */
class Parser {
  readonly #tokens: readonly Token[];
  readonly #kind: ExpressionKind;
  readonly #substitutions: Substitutions;
  #next = 0;
  #operators = 0;

  constructor(tokens: readonly Token[], kind: ExpressionKind, substitutions: Substitutions) {
    this.#tokens = tokens;
    this.#kind = kind;
    this.#substitutions = substitutions;
  }

  expectEnd(): void {
    if (this.#peek().kind !== 'end') throw new SyntaxProblem(this.#peek());
  }

  // OR binds weaker than AND, AND weaker than NOT.
  condition(): Condition {
    let left = this.#conjunction();
    while (this.#takeWord('OR')) left = { kind: 'or', left, right: this.#conjunction() };
    return left;
  }

  #conjunction(): Condition {
    let left = this.#negation();
    while (this.#takeWord('AND')) left = { kind: 'and', left, right: this.#negation() };
    return left;
  }

  #negation(): Condition {
    return this.#takeWord('NOT') ? { kind: 'not', condition: this.#negation() } : this.#simpleCondition();
  }

  #simpleCondition(): Condition {
    const token = this.#peek();
    if (token.text === '(') {
      this.#advance();
      const condition = this.condition();
      this.#expect(')');
      return condition;
    }
    if (token.kind === 'name' && this.#peek(1).text === '(' && token.text !== 'size') return this.#conditionFunction();
    const operand = this.#operand();
    if (this.#takeWord('BETWEEN')) {
      const from = this.#operand();
      if (!this.#takeWord('AND')) throw new SyntaxProblem(this.#peek());
      return this.#between(operand, from, this.#operand());
    }
    if (this.#takeWord('IN')) return this.#in(operand);
    const comparator = this.#advance();
    if (!comparators.has(comparator.text)) throw new SyntaxProblem(comparator);
    return this.#comparison(operand, comparator.text as Comparator, this.#operand());
  }

  #comparison(left: Operand, comparator: Comparator, right: Operand): Condition {
    this.#assertDistinct(comparator, left, [right]);
    if (comparator !== '=' && comparator !== '<>') {
      for (const operand of [left, right]) this.#assertType(comparator, operand, ['S', 'N', 'B']);
    }
    return { kind: 'compare', comparator, left, right };
  }

  #between(operand: Operand, from: Operand, to: Operand): Condition {
    for (const each of [operand, from, to]) this.#assertType('BETWEEN', each, ['S', 'N', 'B']);
    if (from.kind === 'value' && to.kind === 'value') {
      const [lower, upper] = [valueText(from.value), valueText(to.value)];
      if (typeOf(from.value) !== typeOf(to.value)) {
        throw this.#invalid(
          `The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: ${lower}, upper bound operand: AttributeValue: ${upper}`,
        );
      }
      if ((compareValues(from.value, to.value) ?? 0) > 0) {
        throw this.#invalid(
          `The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: ${lower}, upper bound operand: AttributeValue: ${upper}`,
        );
      }
    }
    this.#assertDistinct('BETWEEN', operand, [from, to]);
    return { kind: 'between', operand, from, to };
  }

  #in(operand: Operand): Condition {
    this.#expect('(');
    const candidates = [this.#operand()];
    while (this.#take(',')) candidates.push(this.#operand());
    this.#expect(')');
    if (candidates.length > MAX_IN_CANDIDATES) {
      throw this.#invalid(
        `The IN operator is provided with too many operands; number of operands: ${candidates.length}`,
      );
    }
    return { kind: 'in', operand, candidates };
  }

  #conditionFunction(): Condition {
    const name = this.#advance();
    if (updateFunctions.has(name.text)) {
      throw this.#invalid(`The function is not allowed in a condition expression; function: ${name.text}`);
    }
    if (!conditionFunctions.has(name.text)) throw this.#invalid(`Invalid function name; function: ${name.text}`);
    const operands = this.#arguments();
    const wanted = name.text.endsWith('exists') ? 1 : 2;
    this.#assertOperandCount(name.text, operands.length, wanted);
    const [first, second] = operands as [Operand, Operand];
    switch (name.text) {
      case 'attribute_exists':
      case 'attribute_not_exists':
        return { kind: 'exists', path: this.#pathOf(first, name.text), expected: name.text === 'attribute_exists' };
      case 'attribute_type':
        return { kind: 'type', path: this.#pathOf(first, name.text), type: this.#attributeType(second) };
      case 'begins_with':
        for (const operand of operands) this.#assertType('begins_with', operand, ['S', 'B']);
        this.#assertDistinct('begins_with', first, [second]);
        return { kind: 'beginsWith', operand: first, argument: second };
      default:
        this.#assertDistinct('contains', first, [second]);
        return { kind: 'contains', operand: first, argument: second };
    }
  }

  #arguments(): Operand[] {
    this.#expect('(');
    const operands = [this.#operand()];
    while (this.#take(',')) operands.push(this.#operand());
    this.#expect(')');
    return operands;
  }

  #attributeType(operand: Operand): string {
    if (operand.kind !== 'value' || !('S' in operand.value)) {
      const given = operand.kind === 'value' ? typeOf(operand.value) : 'path';
      throw this.#invalid(
        `Incorrect operand type for operator or function; operator or function: attribute_type, operand type: ${given}`,
      );
    }
    const { S: type } = operand.value;
    if (attributeTypes.has(type)) return type;
    throw this.#invalid(
      `Invalid attribute type name found; type: ${type}, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}`,
    );
  }

  #operand(): Operand {
    const token = this.#peek();
    if (token.kind === 'value') return { kind: 'value', value: this.#value() };
    if (token.kind === 'name' && this.#peek(1).text === '(') {
      if (token.text !== 'size') {
        const known = conditionFunctions.has(token.text) || updateFunctions.has(token.text);
        throw this.#invalid(
          known
            ? `The function is not allowed to be used this way in an expression; function: ${token.text}`
            : `Invalid function name; function: ${token.text}`,
        );
      }
      this.#advance();
      const operands = this.#arguments();
      this.#assertOperandCount('size', operands.length, 1);
      const [operand] = operands as [Operand];
      if (operand.kind === 'path') return { kind: 'size', path: operand.path };
      const given = operand.kind === 'value' ? typeOf(operand.value) : 'N';
      throw this.#invalid(
        `Incorrect operand type for operator or function; operator or function: size, operand type: ${given}`,
      );
    }
    return { kind: 'path', path: this.path() };
  }

  update(): Update {
    const update = { set: [], remove: [], add: [], delete: [] } as {
      -readonly [Section in keyof Update]: Update[Section][number][];
    };
    const seen = new Set<string>();
    while (this.#peek().kind !== 'end') {
      const keyword = this.#advance();
      const section = keyword.kind === 'name' ? keyword.text.toUpperCase() : '';
      if (!['SET', 'REMOVE', 'ADD', 'DELETE'].includes(section)) throw new SyntaxProblem(keyword);
      if (seen.has(section))
        throw this.#invalid(`The "${section}" section can only be used once in an update expression;`);
      seen.add(section);
      do {
        if (section === 'SET') update.set.push(this.#assignment());
        else if (section === 'REMOVE') update.remove.push(this.path());
        else if (section === 'ADD') update.add.push(this.#pathWithValue('ADD', ['N', 'SS', 'NS', 'BS']));
        else update.delete.push(this.#pathWithValue('DELETE', ['SS', 'NS', 'BS']));
      } while (this.#take(','));
    }
    this.#assertNoOverlap([
      ...update.set.map(({ path }) => path),
      ...update.remove,
      ...update.add.map(({ path }) => path),
      ...update.delete.map(({ path }) => path),
    ]);
    return update;
  }

  #assignment(): { path: Path; value: UpdateValue } {
    const path = this.path();
    this.#expect('=');
    const left = this.#updateOperand();
    const sign = this.#peek().text;
    if (sign !== '+' && sign !== '-') return { path, value: left };
    this.#advance();
    this.#countOperator();
    const right = this.#updateOperand();
    for (const side of [left, right]) {
      if (side.kind === 'value' && !('N' in side.value)) {
        throw this.#invalid(
          `Incorrect operand type for operator or function; operator or function: ${sign}, operand type: ${typeOf(side.value)}`,
        );
      }
    }
    return { path, value: { kind: sign === '+' ? 'plus' : 'minus', left, right } };
  }

  #updateOperand(): UpdateValue {
    const token = this.#peek();
    if (token.text === '(') {
      this.#advance();
      const value = this.#updateOperand();
      this.#expect(')');
      return value;
    }
    if (token.kind === 'value') return { kind: 'value', value: this.#value() };
    if (token.kind !== 'name' || this.#peek(1).text !== '(') return { kind: 'path', path: this.path() };
    this.#advance();
    if (!updateFunctions.has(token.text)) {
      const known = conditionFunctions.has(token.text) || token.text === 'size';
      throw this.#invalid(
        known
          ? `The function is not allowed in an update expression; function: ${token.text}`
          : `Invalid function name; function: ${token.text}`,
      );
    }
    this.#expect('(');
    const operands = [this.#updateOperand()];
    while (this.#take(',')) operands.push(this.#updateOperand());
    this.#expect(')');
    this.#assertOperandCount(token.text, operands.length, 2);
    this.#countOperator();
    const [first, second] = operands as [UpdateValue, UpdateValue];
    if (token.text === 'list_append') {
      for (const side of [first, second]) {
        if (side.kind === 'value' && !('L' in side.value)) {
          throw this.#invalid(
            `Incorrect operand type for operator or function; operator or function: list_append, operand type: ${typeOf(side.value)}`,
          );
        }
      }
      return { kind: 'listAppend', first, second };
    }
    if (first.kind === 'path') return { kind: 'ifNotExists', path: first.path, otherwise: second };
    throw this.#invalid('Operator or function requires a document path; operator or function: if_not_exists');
  }

  /** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters */
  #countOperator(): void {
    this.#operators += 1;
    if (this.#operators <= MAX_OPERATORS) return;
    throw this.#invalid(`The expression contains too many operators; operator count: ${this.#operators}`);
  }

  #pathWithValue(operator: 'ADD' | 'DELETE', allowed: readonly string[]): { path: Path; value: AttributeValue } {
    const path = this.path();
    if (this.#peek().kind !== 'value') throw new SyntaxProblem(this.#peek());
    const value = this.#value();
    const type = typeOf(value);
    if (allowed.includes(type)) return { path, value };
    throw this.#invalid(
      `Incorrect operand type for operator or function; operator: ${operator}, operand type: ${typeNames[type]}, typeSet: ALLOWED_FOR_${operator}_OPERAND`,
    );
  }

  projection(): Path[] {
    const paths = [this.path()];
    while (this.#take(',')) paths.push(this.path());
    this.#assertNoOverlap(paths);
    return paths;
  }

  path(): Path {
    const path: [string, ...PathStep[]] = [this.#attributeName()];
    for (;;) {
      if (this.#take('.')) path.push(this.#attributeName());
      else if (this.#take('[')) {
        const index = this.#advance();
        if (index.kind !== 'number') throw new SyntaxProblem(index);
        path.push(Number(index.text));
        this.#expect(']');
      } else return path;
    }
  }

  #attributeName(): string {
    const token = this.#advance();
    if (token.kind === 'placeholder') {
      const name = this.#substitutions.name(token.text);
      if (name !== undefined) return name;
      throw this.#invalid(
        `An expression attribute name used in the document path is not defined; attribute name: ${token.text}`,
      );
    }
    if (token.kind !== 'name') throw new SyntaxProblem(token);
    if (isReservedWord(token.text)) {
      throw this.#invalid(`Attribute name is a reserved keyword; reserved keyword: ${token.text}`);
    }
    return token.text;
  }

  #value(): AttributeValue {
    const { text } = this.#advance();
    const value = this.#substitutions.value(text);
    if (value !== undefined) return value;
    throw this.#invalid(`An expression attribute value used in expression is not defined; attribute value: ${text}`);
  }

  #pathOf(operand: Operand, name: string): Path {
    if (operand.kind === 'path') return operand.path;
    throw this.#invalid(`Operator or function requires a document path; operator or function: ${name}`);
  }

  #assertType(operator: string, operand: Operand, allowed: readonly string[]): void {
    const type = operand.kind === 'value' ? typeOf(operand.value) : operand.kind === 'size' ? 'N' : undefined;
    if (type === undefined || allowed.includes(type)) return;
    throw this.#invalid(
      `Incorrect operand type for operator or function; operator or function: ${operator}, operand type: ${type}`,
    );
  }

  #assertOperandCount(name: string, given: number, wanted: number): void {
    if (given === wanted) return;
    throw this.#invalid(
      `Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${given}`,
    );
  }

  #assertDistinct(operator: string, first: Operand, others: readonly Operand[]): void {
    if (first.kind !== 'path') return;
    const text = pathText(first.path);
    if (!others.some((other) => other.kind === 'path' && pathText(other.path) === text)) return;
    throw this.#invalid(
      `The first operand must be distinct from the remaining operands for this operator or function; operator: ${operator}, first operand: ${text}`,
    );
  }

  #assertNoOverlap(paths: readonly Path[]): void {
    paths.forEach((one, index) => {
      for (const other of paths.slice(index + 1)) {
        const problem = collision(one, other);
        if (!problem) continue;
        throw this.#invalid(
          `Two document paths ${problem} with each other; must remove or rewrite one of these paths; path one: ${pathText(one)}, path two: ${pathText(other)}`,
        );
      }
    });
  }

  #invalid(problem: string): DynamoDbError {
    return invalid(this.#kind, problem);
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)] as Token;
  }

  #advance(): Token {
    const token = this.#peek();
    this.#next += 1;
    return token;
  }

  #take(symbol: string): boolean {
    if (this.#peek().text !== symbol) return false;
    this.#next += 1;
    return true;
  }

  #takeWord(word: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'name' || token.text.toUpperCase() !== word) return false;
    this.#next += 1;
    return true;
  }

  #expect(symbol: string): void {
    if (!this.#take(symbol)) throw new SyntaxProblem(this.#peek());
  }
}

/** Two paths overlap when one is part of the other, and conflict when one takes a list for what the other takes for a map. */
function collision(one: Path, other: Path): 'overlap' | 'conflict' | undefined {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index += 1) {
    const [a, b] = [one[index], other[index]];
    if (typeof a !== typeof b) return 'conflict';
    if (a !== b) return undefined;
  }
  return 'overlap';
}

/** A value as messages quote it: `{N:2}`. */
function valueText(value: AttributeValue): string {
  const type = typeOf(value);
  return `{${type}:${(value as Record<string, unknown>)[type]}}`;
}
