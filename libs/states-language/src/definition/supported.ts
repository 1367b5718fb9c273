import { DefinitionError } from '../failure.ts';
import type { State } from './machine.ts';
import type { IntegrationPattern, TaskResource } from './resource.ts';

/** Optimized integrations that are here, with the patterns that AWS has for them. */
const optimized: Readonly<Record<string, readonly IntegrationPattern[]>> = {
  'lambda:Invoke': ['request', 'waitForTaskToken'],
  'sqs:SendMessage': ['request', 'waitForTaskToken'],
  'sns:Publish': ['request', 'waitForTaskToken'],
  'events:PutEvents': ['request', 'waitForTaskToken'],
  'dynamodb:GetItem': ['request'],
  'dynamodb:PutItem': ['request'],
  'dynamodb:UpdateItem': ['request'],
  'dynamodb:DeleteItem': ['request'],
  'states:StartExecution': ['request', 'sync', 'sync:2', 'waitForTaskToken'],
};

/**
 * Refuses a state that would fail on this machine whatever its input is.
 * @param isCallable true if a service takes calls from other services; without it every service does
 * @throws DefinitionError that names what is missing
 */
export function checkSupported(
  state: State,
  location: string,
  isCallable: (service: string) => boolean = () => true,
): void {
  if (state.type === 'Map' && state.isDistributed) {
    throw new DefinitionError(
      `The mode DISTRIBUTED of the Map state '${state.name}' is not available on this machine`,
      location,
    );
  }
  if (state.type !== 'Task') return;
  const problem = state.hasCredentials
    ? 'has Credentials, which are not available on this machine'
    : problemOf(state.resource, isCallable);
  if (problem !== undefined)
    throw new DefinitionError(`The Task state '${state.name}' ${problem}`, `${location}/Resource`);
}

function problemOf(resource: TaskResource, isCallable: (service: string) => boolean): string | undefined {
  if (resource.kind !== 'integration') return undefined;
  const { isSdk, service, operation, pattern, arn } = resource;
  if (!isCallable(service)) return `calls ${service}, which is not available on this machine: ${arn}`;
  const patterns: readonly IntegrationPattern[] | undefined = isSdk
    ? ['request', 'waitForTaskToken']
    : optimized[`${service}:${operation}`];
  if (!patterns) return `calls ${service}:${operation}, which is not an optimized integration on this machine: ${arn}`;
  return patterns.includes(pattern) ? undefined : `cannot use the pattern .${pattern}: ${arn}`;
}
