import { sqsError } from '../errors.ts';
import { sqsLimits } from '../limits.ts';
import { parseQueuePolicy } from './queue-policy.ts';
import { parseRedriveAllowPolicy, parseRedrivePolicy } from './redrive-policy.ts';

/** The attributes of a queue that can be set, by name, in the form that GetQueueAttributes gives them. */
export type QueueAttributes = Readonly<Record<string, string>>;

interface AttributeDefinition {
  /** Without one, the attribute is missing until it is set. */
  default?: string;
  /** Only FIFO queues have it. */
  fifo?: true;
  /** @returns the value as it is stored; throws AwsError */
  parse: (value: string, name: string) => string;
}

const wholeNumber =
  (min: number, max: number): AttributeDefinition['parse'] =>
  (value, name) => {
    if (!/^\d{1,9}$/.test(value) || Number(value) < min || Number(value) > max) throw invalidValue(name);
    return String(Number(value));
  };

const oneOf =
  (...values: string[]): AttributeDefinition['parse'] =>
  (value, name) => {
    if (!values.includes(value)) throw invalidValue(name);
    return value;
  };

/**
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
 */
const definitions: Readonly<Record<string, AttributeDefinition>> = {
  DelaySeconds: { default: '0', parse: wholeNumber(0, sqsLimits.delaySeconds) },
  MaximumMessageSize: { default: String(sqsLimits.messageBytes), parse: wholeNumber(1024, sqsLimits.messageBytes) },
  MessageRetentionPeriod: {
    default: '345600',
    parse: wholeNumber(sqsLimits.retention.minimum, sqsLimits.retention.maximum),
  },
  ReceiveMessageWaitTimeSeconds: { default: '0', parse: wholeNumber(0, sqsLimits.waitSeconds) },
  VisibilityTimeout: { default: '30', parse: wholeNumber(0, sqsLimits.visibilityTimeout) },
  SqsManagedSseEnabled: { default: 'true', parse: oneOf('true', 'false') },
  KmsMasterKeyId: { parse: (value) => value },
  KmsDataKeyReusePeriodSeconds: { parse: wholeNumber(60, 86_400) },
  Policy: { parse: checkedPolicy },
  RedrivePolicy: { parse: (value) => (value === '' ? '' : JSON.stringify(parseRedrivePolicy(value))) },
  RedriveAllowPolicy: { parse: (value) => (value === '' ? '' : JSON.stringify(parseRedriveAllowPolicy(value))) },
  FifoQueue: { default: 'true', fifo: true, parse: oneOf('true') },
  ContentBasedDeduplication: { default: 'false', fifo: true, parse: oneOf('true', 'false') },
  DeduplicationScope: { default: 'queue', fifo: true, parse: oneOf('queue', 'messageGroup') },
  FifoThroughputLimit: { default: 'perQueue', fifo: true, parse: oneOf('perQueue', 'perMessageGroupId') },
};

/** A policy is kept as it was written. */
function checkedPolicy(text: string): string {
  if (text !== '') parseQueuePolicy(text);
  return text;
}

/** The attributes of a new queue before any is set. */
export function defaultAttributes(fifo: boolean): QueueAttributes {
  return Object.fromEntries(
    Object.entries(definitions).flatMap(([name, { default: value, fifo: fifoOnly }]) =>
      value === undefined || (fifoOnly && !fifo) ? [] : [[name, value]],
    ),
  );
}

/**
 * The attributes of a queue after some are set. An empty policy, or an empty key, removes the one that is there.
 *
 * @param current of the queue; undefined for a new one
 * @throws AwsError InvalidAttributeName, InvalidAttributeValue; InvalidParameterValueException for a redrive policy
 * @example changeAttributes(queue.attributes, { VisibilityTimeout: '60' }, queue.fifo)
 */
export function changeAttributes(
  current: QueueAttributes | undefined,
  changes: QueueAttributes,
  fifo: boolean,
): QueueAttributes {
  const parsed = parseAttributes(changes, fifo);
  const attributes = new Map(Object.entries({ ...(current ?? defaultAttributes(fifo)), ...parsed }));
  if (parsed.KmsMasterKeyId && parsed.SqsManagedSseEnabled === 'true') throw invalidValue('SqsManagedSseEnabled');
  if (parsed.KmsMasterKeyId) attributes.set('SqsManagedSseEnabled', 'false');
  if (parsed.SqsManagedSseEnabled === 'true') attributes.delete('KmsMasterKeyId');
  for (const name of ['Policy', 'RedrivePolicy', 'RedriveAllowPolicy', 'KmsMasterKeyId']) {
    if (attributes.get(name) === '') attributes.delete(name);
  }
  if (!attributes.has('KmsMasterKeyId')) attributes.delete('KmsDataKeyReusePeriodSeconds');
  else if (!attributes.has('KmsDataKeyReusePeriodSeconds')) attributes.set('KmsDataKeyReusePeriodSeconds', '300');
  if (
    attributes.get('FifoThroughputLimit') === 'perMessageGroupId' &&
    attributes.get('DeduplicationScope') !== 'messageGroup'
  ) {
    throw sqsError(
      'InvalidAttributeValue',
      'FifoThroughputLimit can be perMessageGroupId only where DeduplicationScope is messageGroup.',
    );
  }
  return Object.fromEntries(attributes);
}

/** Whether a queue has all of these attributes: then it can be created again with them. */
export function hasAttributes(current: QueueAttributes, wanted: QueueAttributes, fifo: boolean): boolean {
  return Object.entries(parseAttributes(wanted, fifo)).every(([name, value]) => {
    const own = current[name] ?? '';
    return own === value || (name === 'Policy' && sameJson(own, value));
  });
}

/** The names of all attributes that can be set. */
export const settableAttributes: readonly string[] = Object.keys(definitions);

/** True for one of them. */
export function isSettableAttribute(name: string): boolean {
  return Object.hasOwn(definitions, name);
}

function parseAttributes(given: QueueAttributes, fifo: boolean): QueueAttributes {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
      if (!definition || (definition.fifo && !fifo)) throw unknownAttribute(name);
      return [name, definition.parse(value, name)];
    }),
  );
}

function sameJson(one: string, other: string): boolean {
  if (one === '' || other === '') return false;
  return JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(other));
}

/** @example throw unknownAttribute('Foobar'); */
export function unknownAttribute(name: string): Error {
  return sqsError('InvalidAttributeName', `Unknown Attribute ${name.slice(0, 200)}.`);
}

function invalidValue(name: string): Error {
  return sqsError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`);
}
