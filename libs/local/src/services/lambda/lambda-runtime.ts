import type { Stack } from '@millrace/cloudformation';
import type { Host } from '../../core/service.ts';
import type { AsyncInvocations } from './async-invocations.ts';
import { createAsynchronous } from './asynchronous.ts';
import { Destinations } from './destinations.ts';
import type { EventInvokeConfigs } from './event-invoke-configs.ts';
import { Functions } from './functions.ts';
import type { LambdaStore } from './lambda-store.ts';
import { Mappings } from './mappings.ts';
import type { LambdaParts } from './request.ts';
import type { Checkpoints } from './stream-shard.ts';
import { Versions } from './versions.ts';

/** How long a batch under way may take to end once everything stops, in ms. */
const STOP_WITHIN_MS = 2_000;

/** What runs once the stacks are there: functions, what calls them asynchronously, and what feeds them. */
export class LambdaRuntime implements LambdaParts {
  readonly functions: Functions;
  readonly mappings: Mappings;
  readonly asyncInvocations: AsyncInvocations;
  readonly invokeConfigs: EventInvokeConfigs;
  readonly destinations: Destinations;
  readonly versions: Versions;

  /** @throws TemplateError for a function, or a setting of one, that Lambda would refuse */
  constructor(stacks: readonly Stack[], host: Host, store: LambdaStore, checkpoints: Checkpoints | undefined) {
    const destinations = new Destinations(host);
    this.destinations = destinations;
    const functions = new Functions(stacks, host);
    this.functions = functions;
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
  }

  /** Stops polling, gives batches under way a moment to end, then ends every container. */
  async stop(): Promise<void> {
    const queued = this.asyncInvocations.stop();
    const polled = this.mappings.stop();
    const { promise: timeUp, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, STOP_WITHIN_MS);
    await Promise.race([polled, timeUp]);
    clearTimeout(timer);
    await this.functions.stop();
    await Promise.all([polled, queued]);
  }
}
