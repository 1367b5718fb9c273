import { compileCidr, parseIpAddress } from '@millrace/event-pattern/ip-address';
import { compileArn } from './arn-pattern.ts';
import { PolicyError } from './policy-error.ts';
import { PolicyText, type RequestContext } from './policy-text.ts';

/** What a condition block says about one key. */
export interface KeyCondition {
  /** In lower case. */
  readonly key: string;
  readonly holds: (context: RequestContext) => boolean;
}

/** Tells whether a value of the request is what one value of the policy asks for. */
type ValueTest = (actual: string, context: RequestContext) => boolean;
type Version = { variables: boolean };

/** The operators without `Not`, and the tests that their values become. A value that is no such value throws. */
const operators: Readonly<Record<string, (value: string, version: Version) => ValueTest>> = {
  StringEquals: (value, { variables }) => {
    const text = PolicyText.parse(value, { wildcards: false, variables });
    return (actual, context) => text.matches(actual, context);
  },
  StringEqualsIgnoreCase: (value, { variables }) => {
    const text = PolicyText.parse(value, { wildcards: false, variables });
    return (actual, context) => text.matches(actual, context, { ignoreCase: true });
  },
  StringLike: (value, { variables }) => {
    const text = PolicyText.parse(value, { wildcards: true, variables });
    return (actual, context) => text.matches(actual, context);
  },
  ArnEquals: compileArn,
  ArnLike: compileArn,
  Bool: (value) => (actual) => actual.toLowerCase() === value.toLowerCase(),
  NumericEquals: comparison(readNumber, (actual, wanted) => actual === wanted),
  NumericLessThan: comparison(readNumber, (actual, wanted) => actual < wanted),
  NumericLessThanEquals: comparison(readNumber, (actual, wanted) => actual <= wanted),
  NumericGreaterThan: comparison(readNumber, (actual, wanted) => actual > wanted),
  NumericGreaterThanEquals: comparison(readNumber, (actual, wanted) => actual >= wanted),
  DateEquals: comparison(readDate, (actual, wanted) => actual === wanted),
  DateLessThan: comparison(readDate, (actual, wanted) => actual < wanted),
  DateLessThanEquals: comparison(readDate, (actual, wanted) => actual <= wanted),
  DateGreaterThan: comparison(readDate, (actual, wanted) => actual > wanted),
  DateGreaterThanEquals: comparison(readDate, (actual, wanted) => actual >= wanted),
  IpAddress: (value) => {
    const contains = compileBlock(value);
    return (actual) => contains(actual);
  },
};

/** Names with `Not`, which does not always stand in the same place. */
const negated: Readonly<Record<string, string>> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
  NumericNotEquals: 'NumericEquals',
  DateNotEquals: 'DateEquals',
  NotIpAddress: 'IpAddress',
};

/**
 * Compiles the Condition element of a statement. All of what it says must hold.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
 * @param place where the element stands, for messages
 * @throws PolicyError for an operator that is not known here, or a value that the operator cannot have
 */
export function compileCondition(condition: unknown, version: Version, place: string): KeyCondition[] {
  if (!isObject(condition)) throw new PolicyError(place, 'must be an object of operators');
  return Object.entries(condition).flatMap(([name, keys]) => {
    const where = `${place}.${name}`;
    if (!isObject(keys)) throw new PolicyError(where, 'must be an object of condition keys');
    return Object.entries(keys).map(([key, given]) => {
      const values = readValues(given, `${where}.${key}`);
      return { key: key.toLowerCase(), holds: compileOperator(name, key.toLowerCase(), values, version, where) };
    });
  });
}

function compileOperator(
  fullName: string,
  key: string,
  values: readonly string[],
  version: Version,
  place: string,
): KeyCondition['holds'] {
  const [, quantifier, name = '', ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/.exec(fullName) ?? [];
  if (name === 'Null') {
    if (ifExists) throw new PolicyError(place, 'Null has no form with IfExists');
    return (context) => values.some((value) => context.has(key) === (value.toLowerCase() === 'false'));
  }
  const positiveName = negated[name] ?? name;
  const operator = operators[positiveName];
  if (!operator) throw new PolicyError(place, `the condition operator ${fullName} is not known here`);
  const tests = values.map((value) => {
    try {
      return operator(value, version);
    } catch (error) {
      throw new PolicyError(place, error instanceof Error ? error.message : String(error));
    }
  });
  const isNegated = positiveName !== name;
  const passes: ValueTest = (actual, context) => tests.some((test) => test(actual, context)) !== isNegated;
  return (context) => {
    const actual = context.get(key) ?? [];
    if (actual.length === 0)
      return ifExists !== undefined || quantifier === 'ForAllValues' || (isNegated && !quantifier);
    if (quantifier === 'ForAllValues') return actual.every((value) => passes(value, context));
    if (quantifier === 'ForAnyValue') return actual.some((value) => passes(value, context));
    return isNegated ? actual.every((value) => passes(value, context)) : actual.some((value) => passes(value, context));
  };
}

function readValues(given: unknown, place: string): string[] {
  const values = Array.isArray(given) ? given : [given];
  return values.map((value) => {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
    throw new PolicyError(place, 'must be a text, a number or a boolean, or a list of them');
  });
}

function comparison(
  read: (text: string) => number,
  holds: (actual: number, wanted: number) => boolean,
): (value: string) => ValueTest {
  return (value) => {
    const wanted = read(value);
    if (Number.isNaN(wanted)) throw new Error(`"${value}" cannot be compared`);
    return (actual) => holds(read(actual), wanted);
  };
}

function readNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

/** ISO 8601 or seconds since the epoch, as milliseconds. */
function readDate(text: string): number {
  return /^\d+$/.test(text) && text.length > 4 ? Number(text) * 1000 : Date.parse(text);
}

function compileBlock(block: string): (address: string) => boolean {
  const [literal = '', bits] = block.split('/');
  const single = parseIpAddress(literal);
  if (!single) throw new Error(`"${block}" is no IP address or CIDR block`);
  const contains =
    bits === undefined || Number(bits) === single.bits
      ? (address: { bits: number; value: bigint }) => address.bits === single.bits && address.value === single.value
      : compileCidr(block);
  return (address) => {
    const parsed = parseIpAddress(address);
    return parsed !== undefined && contains(parsed);
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
