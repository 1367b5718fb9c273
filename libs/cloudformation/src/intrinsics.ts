import type { TemplateValue } from './template.ts';

/** What the intrinsic functions of one stack look things up in. Every method throws through `fail` when there is nothing. */
export interface Scope {
  /** A parameter's value, a resource's Ref or a pseudo parameter's value. */
  ref(name: string, place: string): unknown;
  getAtt(logicalId: string, attribute: string, place: string): unknown;
  importValue(exportName: string, place: string): unknown;
  mapping(map: string, first: string, second: string, place: string): TemplateValue;
  condition(name: string, place: string): boolean;
  /** The value of an SSM parameter, for `{{resolve:ssm:…}}`. */
  ssmParameter(name: string, place: string): string;
  fail(place: string, problem: string): never;
}

/** Stands for `AWS::NoValue`: the property or list item it would be is left out. */
const NO_VALUE = Symbol('AWS::NoValue');

type Intrinsic = (argument: TemplateValue, scope: Scope, place: string) => unknown;

/**
 * Resolves a template value: intrinsic functions, pseudo parameters and dynamic references.
 *
 * @param place where the value stands, e.g. `Resources.Table.Properties.TableName`, for error messages
 * @returns plain JSON; undefined when the value is `AWS::NoValue`
 * @throws TemplateError naming the place for anything that cannot be resolved
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
 */
export function resolveValue(value: TemplateValue, scope: Scope, place: string): unknown {
  const resolved = evaluate(value, scope, place);
  return resolved === NO_VALUE ? undefined : resolved;
}

/**
 * Evaluates a condition expression.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html
 */
export function evaluateCondition(expression: TemplateValue, scope: Scope, place: string): boolean {
  const [name, argument] = singleEntry(expression);
  switch (name) {
    case 'Condition':
      return scope.condition(text(argument, scope, place), place);
    case 'Fn::Equals': {
      const [left, right] = list(argument, 2, scope, `${place}.${name}`);
      const operands = [left, right].map((operand) => evaluate(operand ?? null, scope, `${place}.${name}`));
      return String(operands[0]) === String(operands[1]);
    }
    case 'Fn::Not': {
      const [only] = list(argument, 1, scope, `${place}.${name}`);
      return !evaluateCondition(only ?? null, scope, `${place}.${name}`);
    }
    case 'Fn::And':
    case 'Fn::Or': {
      const results = list(argument, undefined, scope, `${place}.${name}`).map((item, index) =>
        evaluateCondition(item, scope, `${place}.${name}[${index}]`),
      );
      return name === 'Fn::And' ? results.every(Boolean) : results.some(Boolean);
    }
    default:
      return scope.fail(place, 'a condition must be Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition');
  }
}

function evaluate(value: TemplateValue, scope: Scope, place: string): unknown {
  if (typeof value === 'string') return dynamicReferences(value, scope, place);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    return value
      .map((item, index) => evaluate(item, scope, `${place}[${index}]`))
      .filter((item) => item !== NO_VALUE && item !== undefined);
  }
  const [name, argument] = singleEntry(value);
  if (name !== undefined && argument !== undefined) {
    const intrinsic = INTRINSICS[name];
    if (intrinsic) return intrinsic(argument, scope, name === 'Ref' ? place : `${place}.${name}`);
    if (name.startsWith('Fn::')) return scope.fail(place, `the function ${name} is not supported`);
  }
  const entries: Array<[string, unknown]> = [];
  for (const [key, item] of Object.entries(value)) {
    const resolved = evaluate(item, scope, `${place}.${key}`);
    if (resolved !== NO_VALUE && resolved !== undefined) entries.push([key, resolved]);
  }
  return Object.fromEntries(entries);
}

const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  Ref: (argument, scope, place) => {
    if (argument === 'AWS::NoValue') return NO_VALUE;
    return scope.ref(literal(argument, scope, place), place);
  },

  'Fn::GetAtt': (argument, scope, place) => {
    if (typeof argument === 'string') {
      const dot = argument.indexOf('.');
      if (dot < 1) return scope.fail(place, `"${argument}" should be <logical id>.<attribute>`);
      return scope.getAtt(argument.slice(0, dot), argument.slice(dot + 1), place);
    }
    const [logicalId, attribute] = list(argument, 2, scope, place);
    return scope.getAtt(literal(logicalId ?? null, scope, place), text(attribute ?? null, scope, place), place);
  },

  'Fn::Sub': (argument, scope, place) => {
    const [template, variables] = Array.isArray(argument) ? argument : [argument, {}];
    const given =
      variables !== null && typeof variables === 'object' && !Array.isArray(variables)
        ? variables
        : scope.fail(place, 'the second argument must be a map of variables');
    return literal(template ?? null, scope, place).replace(/\$\{([^}]*)\}/g, (_match, expression: string) => {
      if (expression.startsWith('!')) return `\${${expression.slice(1)}}`;
      const name = expression.trim();
      const variable = given[name];
      if (variable !== undefined) return text(variable, scope, `${place}.${name}`);
      const dot = name.indexOf('.');
      const value = dot === -1 ? scope.ref(name, place) : scope.getAtt(name.slice(0, dot), name.slice(dot + 1), place);
      return scalar(value, scope, place);
    });
  },

  'Fn::Join': (argument, scope, place) => {
    const [delimiter, items] = list(argument, 2, scope, place);
    return evaluatedList(items ?? null, scope, place)
      .map((item) => scalar(item, scope, place))
      .join(literal(delimiter ?? null, scope, place));
  },

  'Fn::Split': (argument, scope, place) => {
    const [delimiter, source] = list(argument, 2, scope, place);
    return text(source ?? null, scope, place).split(literal(delimiter ?? null, scope, place));
  },

  'Fn::Select': (argument, scope, place) => {
    const [index, items] = list(argument, 2, scope, place);
    const choices = evaluatedList(items ?? null, scope, place);
    const position = Number(text(index ?? null, scope, place));
    if (!(position in choices)) return scope.fail(place, `there is no item ${position} among ${choices.length}`);
    return choices[position];
  },

  'Fn::FindInMap': (argument, scope, place) => {
    const [map, first, second] = list(argument, 3, scope, place).map((item) => text(item, scope, place));
    return evaluate(scope.mapping(map ?? '', first ?? '', second ?? '', place), scope, place);
  },

  'Fn::If': (argument, scope, place) => {
    const [condition, whenTrue, whenFalse] = list(argument, 3, scope, place);
    const chosen = scope.condition(literal(condition ?? null, scope, place), place) ? whenTrue : whenFalse;
    return evaluate(chosen ?? null, scope, place);
  },

  'Fn::ImportValue': (argument, scope, place) => scope.importValue(text(argument, scope, place), place),

  'Fn::Base64': (argument, scope, place) => Buffer.from(text(argument, scope, place)).toString('base64'),

  'Fn::Length': (argument, scope, place) => evaluatedList(argument, scope, place).length,

  'Fn::ToJsonString': (argument, scope, place) => JSON.stringify(resolveValue(argument, scope, place)),
};

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html */
function dynamicReferences(value: string, scope: Scope, place: string): string {
  if (!value.includes('{{resolve:')) return value;
  return value.replace(/\{\{resolve:([a-z-]+):([^}]*)\}\}/g, (_match, service: string, reference: string) => {
    if (service !== 'ssm') return scope.fail(place, `{{resolve:${service}:…}} is not supported, only ssm is`);
    // A version may follow the name; there is only one here.
    return scope.ssmParameter(reference.replace(/:\d+$/, ''), place);
  });
}

function singleEntry(value: TemplateValue): [string, TemplateValue] | [undefined, undefined] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [undefined, undefined];
  const [entry, ...others] = Object.entries(value);
  return entry && others.length === 0 ? entry : [undefined, undefined];
}

function list(argument: TemplateValue | undefined, length: number | undefined, scope: Scope, place: string) {
  if (!Array.isArray(argument) || (length !== undefined && argument.length !== length)) {
    return scope.fail(place, length === undefined ? 'needs a list' : `needs a list of ${length}`);
  }
  return argument;
}

function evaluatedList(argument: TemplateValue, scope: Scope, place: string): unknown[] {
  const value = evaluate(argument, scope, place);
  return Array.isArray(value) ? value : scope.fail(place, 'needs a list');
}

function literal(argument: TemplateValue, scope: Scope, place: string): string {
  return typeof argument === 'string' ? argument : scope.fail(place, 'needs a literal string');
}

function text(argument: TemplateValue, scope: Scope, place: string): string {
  return scalar(evaluate(argument, scope, place), scope, place);
}

function scalar(value: unknown, scope: Scope, place: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return scope.fail(place, `needs a string, not ${value === NO_VALUE ? 'AWS::NoValue' : JSON.stringify(value)}`);
}
