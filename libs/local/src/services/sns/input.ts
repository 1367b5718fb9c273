import { invalidParameter } from './errors.ts';

type Shape = 'text' | { list: Shape } | { map: Shape } | { members: Readonly<Record<string, Shape>> };

const messageAttributes: Shape = { map: { members: { DataType: 'text', StringValue: 'text', BinaryValue: 'text' } } };
const message = {
  Message: 'text',
  MessageAttributes: messageAttributes,
  MessageDeduplicationId: 'text',
  MessageGroupId: 'text',
  MessageStructure: 'text',
  Subject: 'text',
} as const;

/** The members of inputs that are more than a text. */
const shapes: Readonly<Record<string, Shape>> = {
  AWSAccountId: { list: 'text' },
  ActionName: { list: 'text' },
  Attributes: { map: 'text' },
  MessageAttributes: messageAttributes,
  PublishBatchRequestEntries: { list: { members: { Id: 'text', ...message } } },
  TagKeys: { list: 'text' },
  Tags: { list: { members: { Key: 'text', Value: 'text' } } },
};

/**
 * Checks that an input has the types of the API, so that operations can rely on them.
 * @throws AwsError InvalidParameter
 */
export function checkInput(operation: string, input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const ofOperation: Readonly<Record<string, Shape>> = {
    ...shapes,
    attributes: operation === 'GetSMSAttributes' ? { list: 'text' } : { map: 'text' },
  };
  return Object.fromEntries(
    Object.entries(input)
      .map(([name, value]) => [
        name,
        checked(name, value, Object.hasOwn(ofOperation, name) ? (ofOperation[name] as Shape) : 'text'),
      ])
      .filter(([, value]) => value !== undefined),
  );
}

function checked(name: string, value: unknown, shape: Shape): unknown {
  if (value === undefined) return undefined;
  if (shape === 'text') {
    if (typeof value === 'string') return value;
    if (typeof value === 'boolean' || typeof value === 'number') return String(value);
    throw invalidParameter(name.slice(0, 100), 'it must be a text');
  }
  // The query protocol has no other way to write an empty list.
  if (value === '') return undefined;
  if ('list' in shape) {
    if (!Array.isArray(value)) throw invalidParameter(name, 'it must be a list');
    return value.map((item) => checked(name, item, shape.list));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidParameter(name, 'it must be a structure');
  const shapeOf = (member: string): Shape => {
    if ('map' in shape) {
      if (shape.map !== 'text' && Object(value)[member] === '')
        throw invalidParameter(`${name}.${member.slice(0, 100)}`, 'it has no value');
      return shape.map;
    }
    if (!Object.hasOwn(shape.members, member))
      throw invalidParameter(`${name}.${member.slice(0, 100)}`, 'unknown member');
    return shape.members[member] as Shape;
  };
  return Object.fromEntries(
    Object.entries(value).map(([member, item]) => [member, checked(`${name}.${member}`, item, shapeOf(member))]),
  );
}
