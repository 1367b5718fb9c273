import { randomUUID } from 'node:crypto';
import type { Stack } from '@millrace/cloudformation';
import type { Host } from '../../core/service.ts';
import type { AsyncInvocations } from './async-invocations.ts';
import { createAsynchronous } from './asynchronous.ts';
import { Destinations } from './destinations.ts';
import { DurableExecutions } from './durable/durable-executions.ts';
import type { DurableStore } from './durable/durable-store.ts';
import type { EventInvokeConfigs } from './event-invoke-configs.ts';
import { Functions } from './functions.ts';
import type { LambdaStore } from './lambda-store.ts';
import { type LocalFunction, refuseExecutionName } from './local-function.ts';
import { Mappings } from './mappings.ts';
import type { AcceptedEvent, EventRequest, LambdaParts } from './request.ts';
import type { Checkpoints } from './shard-checkpoint.ts';
import { Versions } from './versions.ts';

/** How long a batch under way may take to end once everything stops, in ms. */
const STOP_WITHIN_MS = 2_000;

/** Where Lambda keeps what outlives the process. */
export interface LambdaStores {
  store: LambdaStore;
  durableStore: DurableStore;
  checkpoints: Checkpoints | undefined;
}

/** What runs once the stacks are there: functions, what calls them asynchronously, and what feeds them. */
export class LambdaRuntime implements LambdaParts {
  readonly functions: Functions;
  readonly mappings: Mappings;
  readonly asyncInvocations: AsyncInvocations;
  readonly invokeConfigs: EventInvokeConfigs;
  readonly destinations: Destinations;
  readonly versions: Versions;
  readonly durableExecutions: DurableExecutions;
  /** Milliseconds since the epoch. */
  readonly now: () => number;

  /** @throws TemplateError for a function, or a setting of one, that Lambda would refuse */
  constructor(stacks: readonly Stack[], host: Host, { store, durableStore, checkpoints }: LambdaStores) {
    const destinations = new Destinations(host);
    this.destinations = destinations;
    const functions = new Functions(stacks, host, (found, payload, { qualifier, traceHeader, durableExecutionName }) =>
      this.durableExecutions.run(found, { qualifier, payload, name: durableExecutionName, traceHeader }),
    );
    this.functions = functions;
    this.durableExecutions = new DurableExecutions(durableStore, functions, host);
    this.now = () => host.clock.now();
    this.versions = new Versions(functions, store, host);
    this.versions.start(stacks);
    this.mappings = new Mappings({ host, functions, store, checkpoints, destinations });
    const { asyncInvocations, invokeConfigs } = createAsynchronous(stacks, functions, store, destinations, host);
    this.asyncInvocations = asyncInvocations;
    this.invokeConfigs = invokeConfigs;
  }

  /** @throws TemplateError for a mapping that Lambda would refuse */
  start(stacks: readonly Stack[]): void {
    this.mappings.start(stacks);
    this.asyncInvocations.start();
    this.durableExecutions.resume();
  }

  /**
   * Accepts an event for asynchronous invocation. When it returns, the event is kept.
   * @throws AwsError RequestTooLargeException, ResourceNotFoundException, and for a durable function InvalidParameterValueException,
   *   DurableExecutionAlreadyStartedException
   */
  acceptEvent(found: LocalFunction, request: EventRequest): AcceptedEvent {
    const { qualifier, payload, traceHeader, clientContext, durableExecutionName } = request;
    if (found.version(qualifier).configuration.durable) {
      const given = { qualifier, payload, name: durableExecutionName, traceHeader, isAsynchronous: true };
      return { requestId: randomUUID(), durableExecutionArn: this.durableExecutions.start(found, given).execution.arn };
    }
    refuseExecutionName(request);
    const event = { functionName: found.name, qualifier, payload, traceHeader, clientContext };
    return { requestId: this.asyncInvocations.accept(event) };
  }

  /** Stops polling, gives batches under way a moment to end, then ends every container. */
  async stop(): Promise<void> {
    const queued = this.asyncInvocations.stop();
    const suspended = this.durableExecutions.stop();
    const polled = this.mappings.stop();
    const { promise: timeUp, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, STOP_WITHIN_MS);
    await Promise.race([polled, timeUp]);
    clearTimeout(timer);
    await this.functions.stop();
    await Promise.all([polled, queued, suspended]);
  }
}
