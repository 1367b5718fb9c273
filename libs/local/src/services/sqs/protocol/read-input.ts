import { missingParameter, sqsError } from '../errors.ts';
import { type InputOf, inputs, type OperationName } from './inputs.ts';
import type { Shape } from './shapes.ts';

/** The range of an integer in AWS's protocols. */
const MAX_INTEGER = 2 ** 31 - 1;

/**
 * Reads a request: checks that it has the members that its operation needs, and that all are of the right types. A member that
 * is null is one that is missing; members that SQS does not know are left out.
 *
 * @throws AwsError SerializationException, MissingRequiredParameterException, both naming the member
 * @example readInput('GetQueueUrl', { QueueName: 'orders' })
 */
export function readInput<Name extends OperationName>(operation: Name, input: unknown): InputOf<Name> {
  return read(inputs[operation], input, '') as InputOf<Name>;
}

function read(shape: Shape, value: unknown, path: string): unknown {
  switch (shape.type) {
    case 'string':
      return typeof value === 'string' ? value : refuse(path, 'a string');
    case 'boolean':
      return typeof value === 'boolean' ? value : refuse(path, 'a boolean');
    case 'integer':
      if (!Number.isInteger(value) || Math.abs(Number(value)) > MAX_INTEGER) refuse(path, 'a whole number');
      return value;
    case 'list':
      if (!Array.isArray(value)) return refuse(path, 'a list');
      return value.map((item, index) => read(shape.of, item, `${path}[${index}]`));
    case 'map':
      return Object.fromEntries(
        Object.entries(membersOf(value, path)).map(([key, member]) => [key, read(shape.of, member, join(path, key))]),
      );
    case 'structure': {
      const given = membersOf(value, path);
      const result: Record<string, unknown> = {};
      for (const name in shape.members) {
        const member = Object.hasOwn(given, name) ? given[name] : undefined;
        const memberShape = shape.members[name];
        if (memberShape && member !== undefined && member !== null)
          result[name] = read(memberShape, member, join(path, name));
        else if (shape.required.includes(name)) throw missingParameter(join(path, name));
      }
      return result;
    }
  }
}

function membersOf(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(path, 'a structure');
  return value as Record<string, unknown>;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name.slice(0, 100)}`;
}

function refuse(path: string, wanted: string): never {
  throw sqsError('SerializationException', `${path || 'The request'} must be ${wanted}`);
}
