import {
  EventFields,
  EventPattern,
  JsonArray,
  type JsonNode,
  JsonNumber,
  JsonObject,
  parseJson,
} from '@millrace/event-pattern';
import type { MessageAttribute } from '../../core/delivery.ts';
import { snsLimits } from './limits.ts';

export type FilterPolicyScope = 'MessageAttributes' | 'MessageBody';

/** Decides whether a subscription gets a message. */
export type MessageFilter = (message: string, attributes: Readonly<Record<string, MessageAttribute>>) => boolean;

/**
 * Compiles a filter policy. Its operators are those of EventBridge, as both are made by one library.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
 * https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
 *
 * @throws Error with the reason why it is not valid
 */
export function compileFilterPolicy(policy: string, scope: FilterPolicyScope): MessageFilter {
  if (Buffer.byteLength(policy) > snsLimits.filterPolicyBytes) throw new Error('Filter policy is larger than 256 KB');
  const root = readPolicy(policy);
  if (root.members.length === 0) return () => true;
  checkComplexity(root, scope);
  const pattern = new EventPattern(policy);
  if (scope === 'MessageAttributes') {
    return (_message, attributes) => pattern.matches(new EventFields(attributesDocument(attributes)));
  }
  return (message) => {
    const body = parsedObject(message);
    return body !== undefined && pattern.matches(new EventFields(body));
  };
}

function readPolicy(policy: string): JsonObject {
  const root = parseJson(policy);
  if (!(root instanceof JsonObject)) throw new Error('Filter policy is not a JSON object');
  return root;
}

/** The lists of a policy with the level that they are on. */
function* listsOf(node: JsonObject, level: number): Iterable<{ list: JsonArray; level: number }> {
  for (const [name, value] of node.members) {
    if (name === '$or' && value instanceof JsonArray) {
      for (const branch of value.items) if (branch instanceof JsonObject) yield* listsOf(branch, level);
    } else if (value instanceof JsonArray) yield { list: value, level };
    else if (value instanceof JsonObject) yield* listsOf(value, level + 1);
  }
}

function checkComplexity(root: JsonObject, scope: FilterPolicyScope): void {
  const lists = [...listsOf(root, 1)];
  if (scope === 'MessageAttributes' && lists.some(({ level }) => level > 1)) {
    throw new Error('Filter policy scope MessageAttributes does not support nested filter policy');
  }
  if (lists.length > snsLimits.filterPolicyKeys) throw new Error('Filter policy can not have more than 5 keys');
  const combinations = lists.reduce((product, { list, level }) => product * list.items.length * level, 1);
  if (combinations > snsLimits.filterPolicyCombinations) throw new Error('Filter policy is too complex');
  for (const { list } of lists) for (const item of list.items) checkNumbers(item);
}

/** From -10⁹ to 10⁹, with five digits after the decimal point. */
function checkNumbers(node: JsonNode): void {
  if (node instanceof JsonNumber) {
    const value = Number(node.text);
    if (Math.abs(value) > 1e9) throw new Error('Value of a numeric comparison must be between -1e9 and 1e9');
  } else if (node instanceof JsonArray) for (const item of node.items) checkNumbers(item);
  else if (node instanceof JsonObject) for (const [, value] of node.members) checkNumbers(value);
}

/** Binary attributes, and values that are not of their type, are not there for a filter. */
function attributesDocument(attributes: Readonly<Record<string, MessageAttribute>>): JsonObject {
  const members = Object.entries(attributes).flatMap(([name, { DataType, StringValue }]): [string, JsonNode][] => {
    if (StringValue === undefined) return [];
    const [type] = DataType.split('.');
    if (DataType === 'String.Array') {
      const list = parsed(StringValue);
      return list instanceof JsonArray ? [[name, list]] : [];
    }
    if (type === 'String') return [[name, StringValue]];
    const number = type === 'Number' ? parsed(StringValue) : undefined;
    return number instanceof JsonNumber ? [[name, number]] : [];
  });
  return new JsonObject(members, '');
}

function parsedObject(text: string): JsonObject | undefined {
  const node = parsed(text);
  return node instanceof JsonObject ? node : undefined;
}

function parsed(text: string): JsonNode | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
