import { invalidParameter, sqsError } from '../errors.ts';
import { inputs, isOnQueue, isOperation, type OperationName } from './inputs.ts';
import type { Shape } from './shapes.ts';

/** Parameters by the parts of their names: `Attribute.1.Name` is three levels. */
interface Node {
  value?: string;
  readonly children: Map<string, Node>;
}

/** No name has more parts: `SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringListValue.1`. */
const MAX_PARTS = 8;

/**
 * Reads a request in the query protocol.
 *
 * @param path of the request's URL: `/`, or that of a queue
 * @param parameters of the URL and of the body
 * @throws AwsError UnknownOperationException for a request that names no action; InvalidAction, InvalidParameterValueException
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html
 */
export function readQuery(
  path: string,
  parameters: URLSearchParams,
): { operation: OperationName; input: Record<string, unknown> } {
  const operation = parameters.get('Action');
  if (operation === null || operation === '') {
    throw sqsError('UnknownOperationException', 'The request has no parameter Action.');
  }
  const isQueuePath = path !== '/' && path !== '';
  if (!isOperation(operation) || (isQueuePath && !isOnQueue(operation))) {
    throw sqsError('InvalidAction', `The action ${operation.slice(0, 100)} is not valid for this endpoint.`);
  }
  const root: Node = { children: new Map() };
  for (const [name, value] of parameters) add(root, name, value);
  const input = decode(inputs[operation], root, '') as Record<string, unknown>;
  if (isQueuePath) input.QueueUrl ??= path;
  return { operation, input };
}

function add(root: Node, name: string, value: string): void {
  const parts = name.split('.', MAX_PARTS + 1);
  if (parts.length > MAX_PARTS) return;
  let node = root;
  for (const part of parts) {
    let child = node.children.get(part);
    if (!child) {
      child = { children: new Map() };
      node.children.set(part, child);
    }
    node = child;
  }
  node.value = value;
}

function decode(shape: Shape, node: Node, path: string): unknown {
  switch (shape.type) {
    case 'string':
      return node.value;
    case 'boolean':
      return node.value === undefined ? undefined : node.value === 'true';
    case 'integer':
      if (node.value === undefined) return undefined;
      if (!/^-?\d{1,10}$/.test(node.value)) throw invalidParameter(path, node.value, 'Must be a whole number.');
      return Number(node.value);
    case 'list':
      return itemsOf(node).map(([index, item]) => decode(shape.of, item, `${path}.${index}`));
    case 'map':
      return Object.fromEntries(
        itemsOf(node).map(([index, item]) => {
          const value = item.children.get(shape.value);
          const decoded = value && decode(shape.of, value, `${path}.${index}.${shape.value}`);
          return [item.children.get(shape.key)?.value ?? '', decoded ?? emptyOf(shape.of)];
        }),
      );
    case 'structure': {
      const result: Record<string, unknown> = {};
      for (const name in shape.members) {
        const member = shape.members[name];
        if (!member) continue;
        const wireName = member.type === 'list' || member.type === 'map' ? member.name : name;
        const child = node.children.get(wireName);
        const value = child && decode(member, child, path === '' ? wireName : `${path}.${wireName}`);
        if (value !== undefined) result[name] = value;
      }
      return result;
    }
  }
}

/** A pair without a value has an empty one: `Tag.1.Key=k`. */
function emptyOf(shape: Shape): unknown {
  return shape.type === 'string' ? '' : {};
}

/** The numbered parts, in the order of their numbers. */
function itemsOf(node: Node): [number, Node][] {
  return [...node.children]
    .filter(([index]) => /^\d{1,6}$/.test(index))
    .map(([index, item]): [number, Node] => [Number(index), item])
    .sort(([one], [other]) => one - other);
}
