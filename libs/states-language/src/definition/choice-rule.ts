import { PathError } from '../expressions/json-path.ts';
import { compileTypedJsonata, isJsonata } from '../expressions/jsonata.ts';
import { type PathExpression, parsePath, readPath } from '../expressions/path-expression.ts';
import { RuntimeFailure } from '../failure.ts';
import { isObject, type Json } from '../json.ts';
import type { Scope } from '../scope.ts';
import { compileDataFlow } from './data-flow.ts';
import { Fields } from './fields.ts';
import type { ChoiceRule, QueryLanguage } from './machine.ts';
import { compareInstants, parseTimestamp } from './timestamp.ts';

type Test = (scope: Scope) => boolean;

const isTest: Readonly<Record<string, (value: Json) => boolean>> = {
  IsNull: (value) => value === null,
  IsNumeric: (value) => typeof value === 'number',
  IsString: (value) => typeof value === 'string',
  IsBoolean: (value) => typeof value === 'boolean',
  IsTimestamp: (value) => typeof value === 'string' && parseTimestamp(value) !== undefined,
};

/** Compares two values of one type; undefined where either has another. */
const kinds: Readonly<Record<string, (one: Json, other: Json) => number | undefined>> = {
  String: (one, other) =>
    typeof one === 'string' && typeof other === 'string' ? (one === other ? 0 : one < other ? -1 : 1) : undefined,
  Numeric: (one, other) => (typeof one === 'number' && typeof other === 'number' ? one - other : undefined),
  Boolean: (one, other) =>
    typeof one === 'boolean' && typeof other === 'boolean' ? Number(one) - Number(other) : undefined,
  Timestamp: (one, other) => {
    const first = typeof one === 'string' ? parseTimestamp(one) : undefined;
    const second = typeof other === 'string' ? parseTimestamp(other) : undefined;
    return first && second ? compareInstants(first, second) : undefined;
  },
};

const accepts: Readonly<Record<string, (sign: number) => boolean>> = {
  Equals: (sign) => sign === 0,
  LessThan: (sign) => sign < 0,
  LessThanEquals: (sign) => sign <= 0,
  GreaterThan: (sign) => sign > 0,
  GreaterThanEquals: (sign) => sign >= 0,
};

/**
 * Compiles a rule of a Choice state.
 * https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html
 */
export function compileChoiceRule(fields: Fields, language: QueryLanguage, field: string): ChoiceRule {
  fields.needs('Next');
  const next = fields.text('Next') ?? '';
  const flow = compileDataFlow(fields, language, 'input');
  if (language === 'JSONata') {
    fields.needs('Condition');
    fields.allow(['Condition', 'Next', 'Assign', 'Output', 'Comment'], 'in a choice of the JSONata language');
    return { next, flow, matches: compileCondition(fields, field) };
  }
  const test = compileTest(fields, ['Next', 'Assign', 'Output', 'Comment']);
  return { next, flow, matches: async (scope) => test(scope) };
}

function compileCondition(fields: Fields, field: string): ChoiceRule['matches'] {
  const { Condition } = fields.object;
  if (typeof Condition === 'boolean') return async () => Condition;
  if (!isJsonata(Condition)) {
    if (Condition !== undefined)
      fields.diagnostics.add('Expected a JSONata expression or a boolean', fields.at('Condition'));
    return async () => false;
  }
  const evaluate = fields.diagnostics.try(fields.at('Condition'), () =>
    compileTypedJsonata<boolean>(Condition, `${field}/Condition`, 'boolean'),
  );
  return evaluate ?? (async () => false);
}

/** @param others fields that are not part of the comparison */
function compileTest(fields: Fields, others: readonly string[]): Test {
  const operators = Object.keys(fields.object).filter(
    (name) => !others.includes(name) && name !== 'Variable' && name !== 'Comment',
  );
  const [operator] = operators;
  if (operator === undefined || operators.length > 1) {
    fields.diagnostics.add('A choice rule must have exactly one comparison', fields.location);
    return () => false;
  }
  if (operator === 'And' || operator === 'Or') return compileList(fields, operator);
  if (operator === 'Not') {
    const inner = compileNested(fields, fields.object.Not as Json, fields.at('Not'));
    return (scope) => !inner(scope);
  }
  fields.needs('Variable');
  const variable = fields.path('Variable');
  if (!variable) return () => false;
  const compare = compileComparison(fields, operator);
  if (operator === 'IsPresent') return (scope) => compare(scope, hasValue(variable, scope));
  return (scope) => compare(scope, readVariable(variable, scope));
}

function compileList(fields: Fields, operator: 'And' | 'Or'): Test {
  const rules = fields.object[operator];
  if (!Array.isArray(rules) || rules.length === 0) {
    fields.diagnostics.add('Expected value of type ARRAY that is not empty', fields.at(operator));
    return () => false;
  }
  const tests = rules.map((rule, index) => compileNested(fields, rule, `${fields.at(operator)}[${index}]`));
  return operator === 'And'
    ? (scope) => tests.every((test) => test(scope))
    : (scope) => tests.some((test) => test(scope));
}

function compileNested(fields: Fields, rule: Json, location: string): Test {
  if (isObject(rule)) return compileTest(new Fields(rule, location, fields.diagnostics), []);
  fields.diagnostics.add('Expected value of type OBJECT', location);
  return () => false;
}

type Comparison = (scope: Scope, value: Json) => boolean;

function compileComparison(fields: Fields, operator: string): Comparison {
  const expected = fields.object[operator] as Json;
  const isNever: Comparison = () => false;
  const is = isTest[operator];
  if (is || operator === 'IsPresent') {
    if (typeof expected !== 'boolean') fields.diagnostics.add('Expected value of type BOOLEAN', fields.at(operator));
    // `hasValue` has decided about IsPresent.
    return (_, value) => (is ? is(value) : value === true) === expected;
  }
  if (operator === 'StringMatches') return compileStringMatches(fields, expected) ?? isNever;
  const [, kind = '', relation = '', path] = /^(String|Numeric|Boolean|Timestamp)(\w+?)(Path)?$/.exec(operator) ?? [];
  const compare = kinds[kind];
  const accept = accepts[relation];
  if (!compare || !accept || (kind === 'Boolean' && relation !== 'Equals')) {
    fields.diagnostics.add(`'${operator}' is not a comparison`, fields.at(operator));
    return isNever;
  }
  const test = (value: Json, other: Json): boolean => {
    const sign = compare(value, other);
    return sign !== undefined && accept(sign);
  };
  if (path === undefined) {
    if (compare(expected, expected) === undefined)
      fields.diagnostics.add(`Expected value of type ${kind.toUpperCase()}`, fields.at(operator));
    return (_, value) => test(value, expected);
  }
  const other =
    typeof expected === 'string' ? fields.diagnostics.try(fields.at(operator), () => parsePath(expected)) : undefined;
  if (!other) return isNever;
  return (scope, value) => test(value, readVariable(other, scope));
}

/** `*` matches anything; a backslash takes its meaning away. */
function compileStringMatches(fields: Fields, expected: Json): Comparison | undefined {
  if (typeof expected !== 'string') {
    fields.diagnostics.add('Expected value of type STRING', fields.at('StringMatches'));
    return undefined;
  }
  const parts = expected.replace(/\\([\\*])|([.*+?^${}()|[\]\\])/g, (_, escaped?: string, special?: string) => {
    if (escaped !== undefined) return `\\${escaped}`;
    return special === '*' ? '[^]*' : `\\${special}`;
  });
  const pattern = new RegExp(`^${parts}$`, 'u');
  return (_, value) => typeof value === 'string' && pattern.test(value);
}

function hasValue(path: PathExpression, scope: Scope): boolean {
  try {
    readPath(path, scope);
    return true;
  } catch (error) {
    if (error instanceof PathError) return false;
    throw error;
  }
}

function readVariable(path: PathExpression, scope: Scope): Json {
  try {
    return readPath(path, scope);
  } catch (error) {
    if (!(error instanceof PathError)) throw error;
    throw new RuntimeFailure(
      `Invalid path '${path.text}': The choice state's condition path references an invalid value.`,
    );
  }
}
