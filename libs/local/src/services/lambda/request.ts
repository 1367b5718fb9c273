import type { Input } from '../../core/access.ts';
import type { AsyncInvocations } from './async-invocations.ts';
import type { Destinations } from './destinations.ts';
import type { DurableExecutions } from './durable/durable-executions.ts';
import type { EventInvokeConfigs } from './event-invoke-configs.ts';
import { parseFunctionIdentifier } from './function-identifier.ts';
import type { InvokeOptions } from './function-pool.ts';
import type { Functions } from './functions.ts';
import { invalidParameter, notFound } from './lambda-errors.ts';
import type { LocalFunction } from './local-function.ts';
import type { Mappings } from './mappings.ts';
import type { Versions } from './versions.ts';

/** What there is to invoke, list and change. */
export interface LambdaParts {
  functions: Functions;
  versions: Versions;
  mappings: Mappings;
  asyncInvocations: AsyncInvocations;
  invokeConfigs: EventInvokeConfigs;
  destinations: Destinations;
  durableExecutions: DurableExecutions;
  acceptEvent: (found: LocalFunction, request: EventRequest) => AcceptedEvent;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** An event for asynchronous invocation. */
export interface EventRequest extends Pick<InvokeOptions, 'traceHeader' | 'clientContext' | 'durableExecutionName'> {
  qualifier: string | undefined;
  payload: string;
}

export interface AcceptedEvent {
  requestId: string;
  /** Of a durable function. */
  durableExecutionArn?: string;
}

const MAX_ITEMS = 50;

/** A function that a request names, and the qualifier that it has in its name or beside it. */
export interface NamedInRequest {
  found: LocalFunction;
  qualifier: string | undefined;
}

/** @throws AwsError ResourceNotFoundException for a function, a version or an alias that is not there */
export function findFunction({ FunctionName, Qualifier }: Input, { functions }: LambdaParts): NamedInRequest {
  const { name, qualifier: inName } = parseFunctionIdentifier(String(FunctionName));
  if (inName !== undefined && Qualifier !== undefined && inName !== Qualifier) {
    throw invalidParameter('The derived qualifier from the function name does not match the specified qualifier.');
  }
  const qualifier = inName ?? (Qualifier === undefined ? undefined : String(Qualifier));
  const found = functions.byName.get(name);
  if (!found) throw notFound(`Function not found: ${FunctionName}${qualifier === undefined ? '' : `:${qualifier}`}`);
  found.version(qualifier);
  return { found, qualifier };
}

/** @throws AwsError InvalidParameterValueException */
export function paginate<T>(
  all: readonly T[],
  { Marker = 0, MaxItems = MAX_ITEMS }: Input,
): { items: readonly T[]; next: { NextMarker?: string } } {
  const from = Number(Marker);
  const size = Math.min(Number(MaxItems), MAX_ITEMS);
  if (!Number.isInteger(from) || from < 0 || !Number.isInteger(size) || size < 1) {
    throw invalidParameter('Marker or MaxItems is not valid');
  }
  const end = from + size;
  return { items: all.slice(from, end), next: end < all.length ? { NextMarker: String(end) } : {} };
}
