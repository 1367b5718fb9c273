import { type Stack, TemplateError } from '@millrace/cloudformation';
import type { Host } from '../../core/service.ts';
import { AsyncInvocations, type AsyncSettings } from './async-invocations.ts';
import { outcomeSender } from './async-outcomes.ts';
import type { Destinations } from './destinations.ts';
import { EventInvokeConfigs } from './event-invoke-configs.ts';
import { parseFunctionIdentifier } from './function-identifier.ts';
import { type FunctionMetric, functionMetrics } from './function-metrics.ts';
import type { Functions } from './functions.ts';
import { notFound } from './lambda-errors.ts';
import type { LambdaStore } from './lambda-store.ts';
import type { LocalFunction } from './local-function.ts';

const DEFAULT_RETRIES = 2;
const DEFAULT_AGE_SECONDS = 6 * 60 * 60;

/**
 * Puts asynchronous invocation together: the queue, its configurations, and where events go in the end.
 *
 * @throws TemplateError for a configuration or a dead-letter queue that Lambda would refuse
 */
export function createAsynchronous(
  stacks: readonly Stack[],
  functions: Functions,
  store: LambdaStore,
  destinations: Destinations,
  host: Host,
): { asyncInvocations: AsyncInvocations; invokeConfigs: EventInvokeConfigs } {
  const { clock, warn } = host;
  const find = (name: string): LocalFunction => {
    const found = functions.byName.get(name);
    if (!found) throw notFound(`Function not found: ${name}`);
    return found;
  };
  const invokeConfigs = new EventInvokeConfigs({
    store,
    clock,
    checkDestination: (name, arn) => destinations.check(name, arn),
    arnOf: (name, qualifier) => find(name).arnOf(qualifier),
  });
  const metric = (name: string, kind: FunctionMetric, value: number): void => functionMetrics(host, name)(kind, value);
  const settingsOf = (name: string, qualifier: string | undefined): AsyncSettings => {
    const found = find(name);
    const { configuration } = found.version(qualifier);
    const config = invokeConfigs.find(name, qualifier);
    return {
      maximumRetryAttempts: config.MaximumRetryAttempts ?? DEFAULT_RETRIES,
      maximumEventAgeInSeconds: config.MaximumEventAgeInSeconds ?? DEFAULT_AGE_SECONDS,
      concurrency: configuration.concurrency,
      isPaused: found.reservedConcurrency === 0,
    };
  };
  const send = outcomeSender({
    clock,
    targetsOf: (name, qualifier) => {
      const found = find(name);
      const { OnSuccess, OnFailure } = invokeConfigs.find(name, qualifier).DestinationConfig ?? {};
      return {
        functionArn: found.arn,
        onSuccess: OnSuccess?.Destination || undefined,
        onFailure: OnFailure?.Destination || undefined,
        deadLetterQueue: found.version(qualifier).configuration.deadLetterQueue,
      };
    },
    deliver: (name, arn, body, attributes) => destinations.deliver(name, arn, body, attributes),
    putObject: (name, arn, folder, body) => destinations.putObject(name, arn, folder, body),
    putEvent: (name, arn, entry) => destinations.putEvent(name, arn, entry),
    metric,
    warn,
  });
  const asyncInvocations = new AsyncInvocations({
    ...{ store, clock, settingsOf, send, metric, warn },
    invoke: ({ functionName, payload, ...event }) => find(functionName).invoke(payload, event),
  });
  declareConfigs(stacks, invokeConfigs);
  for (const stack of stacks) {
    eachPlaced(stack, 'AWS::Lambda::Function', (_properties, name) => {
      const { deadLetterQueue } = find(name).version(undefined).configuration;
      if (deadLetterQueue !== undefined) destinations.checkDeadLetterQueue(name, deadLetterQueue);
    });
  }
  return { asyncInvocations, invokeConfigs };
}

function declareConfigs(stacks: readonly Stack[], invokeConfigs: EventInvokeConfigs): void {
  for (const stack of stacks) {
    eachPlaced(stack, 'AWS::Lambda::EventInvokeConfig', ({ FunctionName, Qualifier, ...config }) => {
      const { name } = parseFunctionIdentifier(String(FunctionName));
      const numbers = ['MaximumRetryAttempts', 'MaximumEventAgeInSeconds'] as const;
      const given = Object.fromEntries(
        numbers.flatMap((key) => (config[key] === undefined ? [] : [[key, Number(config[key])]])),
      );
      invokeConfigs.declare(name, Qualifier === '$LATEST' ? undefined : String(Qualifier), { ...config, ...given });
    });
  }
}

/** Visits the resources of a type. An error says which resource it is about. */
function eachPlaced(
  stack: Stack,
  type: string,
  visit: (properties: Readonly<Record<string, unknown>>, name: string) => void,
): void {
  for (const { logicalId, name } of stack.resourcesOfType(type)) {
    try {
      visit(stack.properties(logicalId), name);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new TemplateError(stack.name, `Resources.${logicalId}`, reason);
    }
  }
}
