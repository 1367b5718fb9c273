import { ConfigurationError } from './configuration-error.ts';

/** A pattern on `detail`. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html */
export interface EventPattern {
  [field: string]: unknown;
}

const operators = new Set([
  'prefix',
  'suffix',
  'anything-but',
  'numeric',
  'exists',
  'cidr',
  'equals-ignore-case',
  'wildcard',
]);

/**
 * Checks the structure EventBridge demands: objects whose leaves are lists of values or of one-operator matchers.
 * What an operator's argument must look like is left to EventBridge.
 * @param key where the pattern stands, for messages
 * @throws ConfigurationError CONSUMERS_INVALID_FILTER
 */
export function checkEventPattern(pattern: EventPattern, key: string): void {
  const fields = Object.entries(pattern);
  if (fields.length === 0) throw invalid(key, 'an event pattern cannot be empty');
  for (const [field, value] of fields) {
    const path = `${key}.${field}`;
    if (field === '$or') checkAlternatives(value, path);
    else if (Array.isArray(value)) checkLeaf(value, path);
    else if (isObject(value)) checkEventPattern(value, path);
    else throw invalid(path, `must be a list of the values that match, e.g. [${JSON.stringify(value)}]`);
  }
}

function checkAlternatives(value: unknown, key: string): void {
  if (!Array.isArray(value) || value.length < 2) throw invalid(key, 'must be a list of two patterns or more');
  value.forEach((alternative: unknown, index) => {
    if (!isObject(alternative)) throw invalid(`${key}[${index}]`, 'must be a pattern');
    checkEventPattern(alternative, `${key}[${index}]`);
  });
}

function checkLeaf(values: unknown[], key: string): void {
  if (values.length === 0) throw invalid(key, 'an empty list matches nothing');
  values.forEach((value, index) => {
    const path = `${key}[${index}]`;
    if (Array.isArray(value)) throw invalid(path, 'a list inside a list is not a matcher');
    if (!isObject(value)) return;
    const names = Object.keys(value);
    const [name] = names;
    if (names.length !== 1 || name === undefined) throw invalid(path, 'a matcher has exactly one operator');
    if (!operators.has(name))
      throw invalid(path, `unknown operator "${name}": EventBridge has ${[...operators].join(', ')}`);
  });
}

function isObject(value: unknown): value is EventPattern {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(key: string, problem: string): ConfigurationError {
  return new ConfigurationError('CONSUMERS_INVALID_FILTER', key, problem);
}
