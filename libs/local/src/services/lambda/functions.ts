import { availableParallelism } from 'node:os';
import type { Stack } from '@millrace/cloudformation';
import { callAwsJson } from '../../core/aws-json-client.ts';
import type { Host } from '../../core/service.ts';
import { dynamodb } from '../dynamodb/index.ts';
import { reportStreamRead } from '../dynamodb/stream-metrics.ts';
import { countStreamRead } from '../dynamodb/stream-usage.ts';
import { sqs } from '../sqs/index.ts';
import { createFunction, placed } from './create-function.ts';
import type { EventSourceMapping, EventSourceMappingProperties, Invoke } from './event-source-mapping.ts';
import { parseFunctionIdentifier } from './function-identifier.ts';
import { functionMetrics } from './function-metrics.ts';
import type { FunctionPool } from './function-pool.ts';
import type { LocalFunction } from './local-function.ts';
import { startSqsMapping } from './sqs-mapping.ts';
import { startStreamMapping } from './stream-mapping.ts';
import type { Checkpoints } from './stream-shard.ts';
/** What functions and their event sources need from the rest of the runtime. */
export interface FunctionsOptions {
  stacks: readonly Stack[];
  host: Host;
  checkpoints?: Checkpoints | undefined;
}

/** How long a batch under way may take to end once everything stops, in ms. */
const STOP_WITHIN_MS = 2_000;

/**
 * What a function's role has to allow for Lambda to read its queue or stream; here all of it is asked for before each read.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
 * https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-dynamodb-permissions
 */
const QUEUE_ACTIONS = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
const STREAM_ACTIONS = [
  'dynamodb:DescribeStream',
  'dynamodb:GetRecords',
  'dynamodb:GetShardIterator',
  'dynamodb:ListStreams',
];

/** The functions of all stacks and the event source mappings that feed them. */
export class Functions {
  /** By function name. */
  readonly byName: ReadonlyMap<string, LocalFunction>;
  readonly mappings: readonly EventSourceMapping[];
  readonly #streams: EventSourceMapping[] = [];
  readonly #onWarning: (line: string) => void;

  /** @throws TemplateError for a function without a bundle, or a mapping that Lambda would refuse */
  constructor(options: FunctionsOptions) {
    this.#onWarning = options.host.warn;
    const functions = new Map<string, LocalFunction>();
    const mappings: EventSourceMapping[] = [];
    const streamsOf = new Map(options.stacks.map((stack) => [stack, [] as EventSourceMapping[]]));
    for (const [stack, streams] of streamsOf) {
      for (const { logicalId, name } of stack.resourcesOfType('AWS::Lambda::Function')) {
        functions.set(name, createFunction(stack, logicalId, name, streams, options.host));
      }
    }
    this.byName = functions;
    this.mappings = mappings;
    for (const [stack, streams] of streamsOf) {
      for (const { logicalId } of stack.resourcesOfType('AWS::Lambda::EventSourceMapping')) {
        try {
          mappings.push(this.#startMapping(stack, logicalId, streams, options));
        } catch (error) {
          for (const mapping of mappings) void mapping.stop();
          throw placed(error, stack, logicalId);
        }
      }
    }
  }

  /**
   * A function by its name or ARN, and the qualifier that these have.
   * @returns undefined when there is no such function, version or alias
   */
  find(nameOrArn: string): { found: LocalFunction; qualifier: string | undefined } | undefined {
    try {
      const { name, qualifier } = parseFunctionIdentifier(nameOrArn);
      const found = this.byName.get(name);
      found?.version(qualifier);
      return found && { found, qualifier };
    } catch {
      return undefined;
    }
  }

  /** Has every stream read at once. */
  wakeStreams(): void {
    for (const stream of this.#streams) stream.wake();
  }

  /** Starts a container of every function, as many at a time as there are cores, and warns of those that cannot start. */
  async warm(): Promise<void> {
    const waiting = [...this.byName.values()].map(({ latest }) => latest);
    const worker = async (): Promise<void> => {
      for (let pool = waiting.shift(); pool; pool = waiting.shift()) {
        const error = await pool.warm();
        if (error) this.#onWarning(`${pool.definition.name} cannot start: ${error.errorType}: ${error.errorMessage}`);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, worker));
  }

  /** Stops polling, gives batches under way a moment to end, then ends every container. */
  async stop(): Promise<void> {
    const { promise: timeUp, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, STOP_WITHIN_MS);
    const polled = Promise.all(this.mappings.map((mapping) => mapping.stop()));
    await Promise.race([polled, timeUp]);
    clearTimeout(timer);
    await Promise.all([...this.byName.values()].map((found) => found.stop()));
    await polled;
  }

  #startMapping(
    stack: Stack,
    logicalId: string,
    streams: EventSourceMapping[],
    options: FunctionsOptions,
  ): EventSourceMapping {
    const properties = stack.properties(logicalId) as unknown as EventSourceMappingProperties;
    const named = this.find(properties.FunctionName);
    if (!named) throw new Error(`there is no function ${properties.FunctionName}`);
    const { found, qualifier } = named;
    const common = {
      uuid: stack.ref(logicalId),
      properties,
      functionArn: found.arnOf(qualifier),
      invoke: (payload: string) => found.invoke(payload, { qualifier }),
      onWarning: options.host.warn,
    };
    const source = properties.EventSourceArn;
    if (source.startsWith('arn:aws:sqs:')) return this.#startQueueMapping(common, found.latest, options.host);
    if (!source.startsWith('arn:aws:dynamodb:')) throw new Error(`${source} is not an event source on this machine`);
    const stream = this.#startStreamMapping(common, found.latest, options);
    streams.push(stream);
    this.#streams.push(stream);
    return stream;
  }

  #startQueueMapping(common: MappingBase, pool: FunctionPool, host: Host): EventSourceMapping {
    const { name, timeoutSeconds, concurrency } = pool.definition;
    const source = common.properties.EventSourceArn;
    const authorize = (): void => {
      for (const action of QUEUE_ACTIONS) host.authorizer.authorizeRole(name, { action, resource: source });
    };
    return startSqsMapping({
      ...common,
      queue: host.handleOf(sqs).source(source, authorize),
      functionTimeoutSeconds: timeoutSeconds,
      functionConcurrency: concurrency,
    });
  }

  #startStreamMapping(
    common: MappingBase,
    pool: FunctionPool,
    { host, checkpoints }: FunctionsOptions,
  ): EventSourceMapping {
    const { authorizer, region, usage } = host;
    const { name } = pool.definition;
    const source = common.properties.EventSourceArn;
    const { endpoint } = host.handleOf(dynamodb);
    const report = functionMetrics(host, name);
    return startStreamMapping({
      ...common,
      ...(checkpoints ? { checkpoints } : {}),
      call: async (operation, input) => {
        for (const action of STREAM_ACTIONS) authorizer.authorizeRole(name, { action, resource: source });
        const startedAt = performance.now();
        const target = `DynamoDBStreams_20120810.${operation}`;
        const output = await callAwsJson(endpoint, { region, service: 'dynamodb', target }, input);
        if (operation === 'GetRecords') reportStreamRead(host, source, performance.now() - startedAt);
        if (usage) countStreamRead(usage, source, output);
        return output;
      },
      onIteratorAge: (age) => report('IteratorAge', age),
      sendToDestination: (destinationArn, body) =>
        host.deliver(destinationArn, body, { sender: { functionName: name } }),
    });
  }
}

/** What mappings of queues and streams have in common. */
interface MappingBase {
  uuid: string;
  properties: EventSourceMappingProperties;
  functionArn: string;
  invoke: Invoke;
  onWarning: (line: string) => void;
}
