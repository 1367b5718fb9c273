import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, type Json, type State } from '@millrace/states-language';
import type { AwsError } from '../../../core/aws-error.ts';
import { invalid } from '../api/input.ts';

/** A scalar without constraints, the name of a shape behind a `#`, or a shape. */
type Reference = string | Shape;

interface Shape {
  readonly type: string;
  readonly members?: Readonly<Record<string, Reference>>;
  readonly required?: readonly string[];
  /** Of a list or map. */
  readonly item?: Reference;
  readonly min?: number;
  readonly max?: number;
  readonly enum?: readonly string[];
}

interface Service {
  readonly operations: Readonly<Record<string, Reference>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** Of scripts/api-outputs.py, by the service's name in ARNs of SDK integrations. Read when it is needed first. */
let services: Readonly<Record<string, Service>> | undefined;

function serviceOf(name: string): Service | undefined {
  services ??= JSON.parse(readFileSync(join(import.meta.dirname, 'api-outputs.json'), 'utf8')).services;
  return services?.[name];
}

/** Services of optimized integrations that have another name in SDK integrations. */
const sdkNames: Readonly<Record<string, string>> = { events: 'eventbridge', states: 'sfn' };

/**
 * Checks a mocked result by the API that the task would call.
 * @param mode STRICT wants required members, too; NONE checks nothing
 * @throws AwsError ValidationException
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_MockInput.html
 */
export function checkMockedResult(state: State, result: Json, mode: string): void {
  if (mode === 'NONE' || state.type !== 'Task') return;
  const { resource } = state;
  // The answer to a token, or of another execution, does not come from an API.
  if (resource.kind !== 'integration' || resource.pattern !== 'request') return;
  const name = resource.resourceType.replace(/^aws-sdk:/, '');
  const service = serviceOf(sdkNames[name] ?? name);
  const output = service?.operations[resource.operation];
  if (!service || output === undefined) return;
  // The payload of an optimized invocation is JSON; in the API it is bytes.
  const free = resource.isSdk || name !== 'lambda' ? [] : ['Payload'];
  new Check(service, { isStrict: mode === 'STRICT', free, isCapitalized: service === serviceOf('sfn') }).check(
    output,
    result,
    'result',
  );
}

class Check {
  readonly #service: Service;
  readonly #options: { isStrict: boolean; free: readonly string[]; isCapitalized: boolean };

  constructor(service: Service, options: { isStrict: boolean; free: readonly string[]; isCapitalized: boolean }) {
    this.#service = service;
    this.#options = options;
  }

  check(reference: Reference, value: Json, path: string): void {
    const shape = this.#resolve(reference);
    switch (shape.type) {
      case 'structure':
        this.#checkStructure(shape, value, path);
        return;
      case 'list':
        if (!Array.isArray(value)) throw wrongType(path, 'an array');
        for (const [index, item] of value.entries()) this.check(shape.item ?? 'string', item, `${path}[${index}]`);
        return;
      case 'map':
        if (!isObject(value)) throw wrongType(path, 'an object');
        for (const [name, member] of Object.entries(value))
          this.check(shape.item ?? 'string', member, `${path}.${name}`);
        return;
      default:
        checkScalar(shape, value, path);
    }
  }

  #checkStructure({ members = {}, required = [] }: Shape, value: Json, path: string): void {
    if (!isObject(value)) throw wrongType(path, 'an object');
    const { isStrict, free, isCapitalized } = this.#options;
    const nameOf = (member: string): string =>
      isCapitalized ? member.charAt(0).toUpperCase() + member.slice(1) : member;
    for (const name of isStrict ? required : []) {
      if (value[nameOf(name)] === undefined)
        throw invalid(`Mock result schema validation error: Required field '${path}.${nameOf(name)}' is missing`);
    }
    for (const [name, member] of Object.entries(members)) {
      const given = value[nameOf(name)];
      if (given !== undefined && given !== null && !free.includes(name))
        this.check(member, given, `${path}.${nameOf(name)}`);
    }
  }

  #resolve(reference: Reference): Shape {
    if (typeof reference !== 'string') return reference;
    return reference.startsWith('#')
      ? (this.#service.shapes[reference.slice(1)] ?? { type: 'string' })
      : { type: reference };
  }
}

function checkScalar({ type, min, max, enum: words }: Shape, value: Json, path: string): void {
  switch (type) {
    case 'boolean':
      if (typeof value !== 'boolean') throw wrongType(path, 'a boolean');
      return;
    case 'integer':
    case 'long':
      if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(path, `a number of the type ${type}`);
      checkBounds(value, { min, max }, path);
      return;
    case 'float':
    case 'double':
      if (typeof value !== 'number') throw wrongType(path, `a number of the type ${type}`);
      return;
    case 'timestamp':
      if (typeof value !== 'number' && typeof value !== 'string') throw wrongType(path, 'a timestamp');
      return;
    default:
      if (typeof value !== 'string') throw wrongType(path, 'a string');
      checkBounds(value.length, { min, max }, path);
      if (words && !words.includes(value))
        throw invalid(`Mock result schema validation error: '${path}' must be one of [${words.join(', ')}]`);
  }
}

function checkBounds(
  size: number,
  { min, max }: { min: number | undefined; max: number | undefined },
  path: string,
): void {
  if (min !== undefined && size < min)
    throw invalid(`Mock result schema validation error: '${path}' must be at least ${min}`);
  if (max !== undefined && size > max)
    throw invalid(`Mock result schema validation error: '${path}' must be at most ${max}`);
}

function wrongType(path: string, expected: string): AwsError {
  return invalid(`Mock result schema validation error: '${path}' must be ${expected}`);
}
