import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Stack, TemplateError } from '@millrace/cloudformation';
import { callAwsJson } from '../../core/aws-json-client.ts';
import type { Host } from '../../core/service.ts';
import { dynamodb } from '../dynamodb/index.ts';
import { reportStreamRead } from '../dynamodb/stream-metrics.ts';
import { countStreamRead } from '../dynamodb/stream-usage.ts';
import { logs } from '../logs/index.ts';
import { sqs } from '../sqs/index.ts';
import type { EventSourceMapping, EventSourceMappingProperties } from './event-source-mapping.ts';
import { functionDefinition } from './function-definition.ts';
import { functionMetrics, type ReportFunctionMetric } from './function-metrics.ts';
import { type EndedInvocation, FunctionPool, type InvocationResult } from './function-pool.ts';
import { countLogLine } from './log-usage.ts';
import { startSqsMapping } from './sqs-mapping.ts';
import { startStreamMapping } from './stream-mapping.ts';
import type { Checkpoints } from './stream-shard.ts';
import { countInvocation } from './usage.ts';
/** What functions and their event sources need from the rest of the runtime. */
export interface FunctionsOptions {
  stacks: readonly Stack[];
  host: Host;
  checkpoints?: Checkpoints | undefined;
}

/** How long a batch under way may take to end once everything stops, in ms. */
const STOP_WITHIN_MS = 2_000;

/** Longer than a usual call: only calls that would hold others up get a second container. */
const SCALE_OUT_AFTER_MS = 100;

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
  readonly pools: ReadonlyMap<string, FunctionPool>;
  readonly mappings: readonly EventSourceMapping[];
  readonly #streams: EventSourceMapping[] = [];
  readonly #onWarning: (line: string) => void;
  /** The streams of the tables of a function's own stack. */
  readonly #streamsOf = new Map<FunctionPool, EventSourceMapping[]>();

  /** @throws TemplateError for a function without a bundle, or a mapping that Lambda would refuse */
  constructor(options: FunctionsOptions) {
    this.#onWarning = options.host.warn;
    const pools = new Map<string, FunctionPool>();
    const mappings: EventSourceMapping[] = [];
    const streamsOf = new Map(options.stacks.map((stack) => [stack, [] as EventSourceMapping[]]));
    for (const [stack, streams] of streamsOf) {
      for (const { logicalId, name } of stack.resourcesOfType('AWS::Lambda::Function')) {
        const pool = this.#createPool(stack, logicalId, name, options);
        pools.set(name, pool);
        this.#streamsOf.set(pool, streams);
      }
    }
    this.pools = pools;
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

  /** The pool of a function, by its name, ARN or ARN with a version. */
  find(nameOrArn: string): FunctionPool | undefined {
    return this.pools.get(nameOrArn.startsWith('arn:') ? (nameOrArn.split(':')[6] ?? '') : nameOrArn);
  }

  /**
   * Runs a function and then has the streams of its stack read at once: what it wrote may be waiting there.
   *
   * @throws AwsError as FunctionPool.invoke
   */
  async invoke(pool: FunctionPool, payload: string): Promise<InvocationResult> {
    try {
      return await pool.invoke(payload);
    } finally {
      for (const stream of this.#streamsOf.get(pool) ?? []) stream.wake();
    }
  }

  /** Has every stream read at once. */
  wakeStreams(): void {
    for (const stream of this.#streams) stream.wake();
  }

  /** Starts a container of every function, as many at a time as there are cores, and warns of those that cannot start. */
  async warm(): Promise<void> {
    const waiting = [...this.pools.values()];
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
    await Promise.all([...this.pools.values()].map((pool) => pool.stop()));
    await polled;
  }

  #createPool(stack: Stack, logicalId: string, name: string, { host }: FunctionsOptions): FunctionPool {
    const { authorizer, usage, options, awsUrl } = host;
    const codeDirectory = host.codeOf(name);
    if (codeDirectory === undefined) throw placed(new Error(`${name} has not been packaged`), stack, logicalId);
    const arn = stack.attribute(logicalId, 'Arn');
    const { functionsUrl } = host.handleOf(dynamodb);
    const functionLogs = host.handleOf(logs);
    const report = functionMetrics(host, name);
    const definition = functionDefinition({ name, arn, codeDirectory }, stack.properties(logicalId), {
      endpoints: {
        AWS_ENDPOINT_URL: awsUrl,
        AWS_ENDPOINT_URL_DYNAMODB: functionsUrl,
        AWS_ENDPOINT_URL_DYNAMODB_STREAMS: functionsUrl,
      },
      concurrency: options.functionConcurrency ?? Math.max(2, availableParallelism()),
    });
    return new FunctionPool(definition, {
      log: (line) => {
        if (!authorizer.mayLog(name)) return;
        if (usage) countLogLine(usage, line);
        functionLogs.write(line);
        options.onFunctionLog?.(line);
      },
      compileCacheDirectory: join(host.cacheDirectory, 'compiled'),
      scaleOutAfterMs: SCALE_OUT_AFTER_MS,
      onInvocation: (invocation) => {
        // Lambda writes lines of its own, too, and would be refused as well.
        authorizer.mayLog(name);
        reportInvocation(report, invocation);
        if (usage) countInvocation(usage, definition, invocation.durationMs);
      },
    });
  }

  #startMapping(
    stack: Stack,
    logicalId: string,
    streams: EventSourceMapping[],
    options: FunctionsOptions,
  ): EventSourceMapping {
    const properties = stack.properties(logicalId) as unknown as EventSourceMappingProperties;
    const pool = this.find(properties.FunctionName);
    if (!pool) throw new Error(`there is no function ${properties.FunctionName}`);
    const common = {
      uuid: stack.ref(logicalId),
      properties,
      functionArn: pool.definition.arn,
      onWarning: options.host.warn,
    };
    const source = properties.EventSourceArn;
    if (source.startsWith('arn:aws:sqs:')) return this.#startQueueMapping(common, pool, options.host);
    if (!source.startsWith('arn:aws:dynamodb:')) throw new Error(`${source} is not an event source on this machine`);
    const stream = this.#startStreamMapping(common, pool, options);
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
      invoke: (payload) => this.invoke(pool, payload),
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
      invoke: (payload) => pool.invoke(payload),
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
  onWarning: (line: string) => void;
}

/** As Lambda does: an invocation without an error is a datapoint of 0 errors. Nothing is throttled here: calls wait. */
function reportInvocation(report: ReportFunctionMetric, { durationMs, failed, concurrent }: EndedInvocation): void {
  report('Invocations', 1);
  report('Errors', failed ? 1 : 0);
  report('Throttles', 0);
  report('Duration', durationMs);
  report('ConcurrentExecutions', concurrent);
}

function placed(error: unknown, stack: Stack, logicalId: string): Error {
  if (error instanceof TemplateError) return error;
  return new TemplateError(
    stack.name,
    `Resources.${logicalId}`,
    error instanceof Error ? error.message : String(error),
  );
}
