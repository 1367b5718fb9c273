import { compileCidr, parseIpAddress } from './ip-address.ts';
import { JsonArray, type JsonNode, JsonNumber, JsonObject, type JsonScalar } from './json-document.ts';
import { compileWildcard } from './wildcard.ts';

/** Tests one scalar of an event. */
export type ValueMatcher = (value: JsonScalar) => boolean;

/** What one entry of a pattern's list asks for: a scalar that passes, or that the field is not there (`{"exists": false}`). */
export type ValueRequirement = ValueMatcher | 'absent';

type TextMatcher = (text: string) => boolean;

/**
 * Compiles one entry of the list of a pattern field: a scalar, or an object with one comparison operator.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 * @throws Error with the reason where the entry is not valid.
 */
export function compileValue(node: JsonNode): ValueRequirement {
  if (node instanceof JsonArray) throw new Error('Match value must be String, number, true, false, or null');
  if (!(node instanceof JsonObject)) return typeof node === 'string' ? equalString(node) : equalScalar(node);
  const [operator, operand] = onlyMember(node);
  switch (operator) {
    case 'exactly': {
      const text = requiredString(operand, operator);
      return (value) => value === text;
    }
    case 'prefix':
    case 'suffix':
      return onStrings(edgeMatcher(operator, operand));
    case 'equals-ignore-case':
      return onStrings(ignoringCase(requiredString(operand, operator)));
    case 'wildcard':
      return onStrings(compileWildcard(requiredString(operand, operator)));
    case 'cidr': {
      const inBlock = compileCidr(requiredString(operand, operator));
      return onStrings((text) => {
        const address = parseIpAddress(text);
        return address !== undefined && inBlock(address);
      });
    }
    case 'numeric':
      return numericMatcher(operand);
    case 'exists':
      if (typeof operand !== 'boolean') throw new Error('exists match pattern must be either true or false.');
      return operand ? () => true : 'absent';
    case 'anything-but':
      return anythingBut(operand);
    default:
      throw new Error(`Unrecognized match type ${operator}`);
  }
}

function equalString(text: string): ValueMatcher {
  const address = parseIpAddress(text);
  if (!address) return (value) => value === text;
  // A string that is an IP address matches that address however it is written: "::1" also "0:0:0:0:0:0:0:1".
  return onStrings((candidate) => {
    if (candidate === text) return true;
    const other = parseIpAddress(candidate);
    return other !== undefined && other.bits === address.bits && other.value === address.value;
  });
}

function equalScalar(scalar: JsonScalar): ValueMatcher {
  if (!(scalar instanceof JsonNumber)) return (value) => value === scalar;
  const { text, exact } = scalar;
  return (value) =>
    value instanceof JsonNumber && (value.text === text || (exact !== undefined && value.exact === exact));
}

function onStrings(matches: TextMatcher): ValueMatcher {
  return (value) => typeof value === 'string' && matches(value);
}

function edgeMatcher(edge: 'prefix' | 'suffix', operand: JsonNode): TextMatcher {
  if (!(operand instanceof JsonObject)) return edgeText(edge, requiredString(operand, edge));
  const [operator, text] = onlyMember(operand);
  if (operator !== 'equals-ignore-case') throw new Error(`Unsupported ${edge} match pattern: ${operator}`);
  return ignoringCase(requiredString(text, operator), edge);
}

function edgeText(edge: 'prefix' | 'suffix', text: string): TextMatcher {
  return edge === 'prefix' ? (candidate) => candidate.startsWith(text) : (candidate) => candidate.endsWith(text);
}

/** Compares character by character with its lower and its upper case form, which may be longer: `ß` is `ß` or `SS`. */
function ignoringCase(text: string, edge?: 'prefix' | 'suffix'): TextMatcher {
  const characters = text.split('').map((character) => {
    const forms = [character.toLowerCase(), character.toUpperCase()].map(escapeForRegExp);
    return `(?:${forms.join('|')})`;
  });
  const expression = new RegExp(`${edge === 'suffix' ? '' : '^'}${characters.join('')}${edge === 'prefix' ? '' : '$'}`);
  return (candidate) => expression.test(candidate);
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function anythingBut(operand: JsonNode): ValueMatcher {
  if (operand instanceof JsonObject) {
    const [operator, texts] = onlyMember(operand);
    const excluded = stringList(texts, operator).map((text) => excludedText(operator, text));
    return (value) => typeof value !== 'string' || !excluded.some((matches) => matches(value));
  }
  const values = operand instanceof JsonArray ? operand.items : [operand];
  if (values.length === 0) throw new Error('Empty arrays are not allowed');
  if (values.every((value) => typeof value === 'string')) {
    const texts = new Set(values);
    return (value) => typeof value !== 'string' || !texts.has(value);
  }
  if (values.every((value) => value instanceof JsonNumber)) {
    const numbers = new Set(values.map(comparableNumber));
    return (value) => {
      const number = value instanceof JsonNumber ? value.exact : undefined;
      return number === undefined || !numbers.has(number);
    };
  }
  throw new Error('Value of anything-but must be one string or number, or a list of either strings or numbers');
}

function excludedText(operator: string, text: string): TextMatcher {
  switch (operator) {
    case 'prefix':
    case 'suffix':
      if (text === '') throw new Error('Null prefix/suffix not allowed');
      return edgeText(operator, text);
    case 'equals-ignore-case':
      return ignoringCase(text);
    case 'wildcard':
      return compileWildcard(text);
    default:
      throw new Error(`Unsupported anything-but pattern: ${operator}`);
  }
}

/** `["=", n]`, one bound, or a lower and then an upper bound: `[">", 0, "<=", 5]`. */
function numericMatcher(operand: JsonNode): ValueMatcher {
  if (!(operand instanceof JsonArray)) throw new Error('Value of numeric must be an array.');
  const [operator, limit, upperOperator, upperLimit, ...rest] = operand.items;
  const bound = comparableNumber(limit);
  if (rest.length > 0) throw new Error('Too many elements in numeric expression');
  if (upperOperator === undefined) {
    const holds = comparison(operator);
    return onNumbers((number) => holds(number, bound));
  }
  if (operator !== '>' && operator !== '>=') throw new Error('Too many elements in numeric expression');
  if (upperOperator !== '<' && upperOperator !== '<=') throw new Error('Bad numeric range operator');
  const [above, below, upperBound] = [comparison(operator), comparison(upperOperator), comparableNumber(upperLimit)];
  if (bound >= upperBound) throw new Error('Bottom must be less than top');
  return onNumbers((number) => above(number, bound) && below(number, upperBound));
}

function onNumbers(matches: (number: number) => boolean): ValueMatcher {
  return (value) => {
    const number = value instanceof JsonNumber ? value.exact : undefined;
    return number !== undefined && matches(number);
  };
}

function comparison(operator: JsonNode | undefined): (number: number, limit: number) => boolean {
  switch (operator) {
    case '=':
      return (number, limit) => number === limit;
    case '<':
      return (number, limit) => number < limit;
    case '<=':
      return (number, limit) => number <= limit;
    case '>':
      return (number, limit) => number > limit;
    case '>=':
      return (number, limit) => number >= limit;
    default:
      throw new Error('Unrecognized numeric range operator');
  }
}

function comparableNumber(node: JsonNode | undefined): number {
  if (!(node instanceof JsonNumber)) throw new Error('Value of a numeric comparison must be numeric');
  if (node.exact === undefined) throw new Error(`Cannot compare number : ${node.text}`);
  return node.exact;
}

function stringList(node: JsonNode, operator: string): string[] {
  if (!(node instanceof JsonArray)) return [requiredString(node, operator)];
  if (node.items.length === 0) throw new Error('Empty arrays are not allowed');
  return node.items.map((item) => requiredString(item, operator));
}

function requiredString(node: JsonNode, operator: string): string {
  if (typeof node !== 'string') throw new Error(`${operator} match pattern must be a string`);
  return node;
}

function onlyMember(object: JsonObject): readonly [string, JsonNode] {
  const [member, ...rest] = object.members;
  if (!member) throw new Error('Match expression name not found');
  if (rest.length > 0) throw new Error('Only one key allowed in match expression');
  return member;
}
