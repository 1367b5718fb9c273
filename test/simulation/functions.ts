import type { StreamRecord } from '@millrace/local/dynamodb-engine';
import { backoffBound } from '@millrace/retry';
import type { Context, DynamoDBBatchResponse, SQSBatchResponse } from 'aws-lambda';
import type { Message } from './aws/queues.ts';
import { type Container, leaveContainers } from './container.ts';
import { type FunctionDefinition, queueArn } from './deployment.ts';
import type { World } from './world.ts';

type Handler = (event: object, context: Context) => Promise<unknown>;

/** How an invocation ended. */
type Ended = { output: unknown } | { error: Error } | 'died';

/** Records that a relay gets at once. */
const STREAM_BATCH = 100;
/** How Lambda's pauses grow after a batch of a stream that failed. */
const STREAM_BACKOFF_MS = { firstBound: 200, longestBound: 60_000 };

/** Lambda: containers, time limits, and what reads queues and streams. */
export class Functions {
  readonly #world: World;
  readonly #definitions: ReadonlyMap<string, FunctionDefinition>;
  readonly #containers = new Map<string, { container: Container; handler: Handler }[]>();

  constructor(world: World) {
    this.#world = world;
    this.#definitions = new Map(world.deployment.functions.map((each) => [each.name, each]));
    for (const definition of world.deployment.functions) {
      if (definition.consumer) new QueueReader(world, this, definition);
      if (definition.streamOf) new StreamReader(world, this, definition, definition.streamOf);
    }
  }

  /**
   * Runs a function in a container that is free, or in a new one.
   * @param done is called once, also when the container has died or its time was up
   */
  invoke(name: string, event: object, done: (ended: Ended) => void): void {
    const definition = this.#definitions.get(name);
    if (!definition) throw new Error(`There is no function ${name}`);
    const { scheduler, sabotage } = this.#world;
    const { container, handler } = this.#freeContainer(definition);
    container.busy = true;
    const timeoutMs = definition.timeout * 1000;
    const deadline = scheduler.now + timeoutMs;
    let over = false;
    const end = (ended: Ended): void => {
      if (over) return;
      over = true;
      limit.cancel();
      container.busy = false;
      container.onDeath = undefined;
      this.#world.mail.settle(container);
      leaveContainers();
      done(ended);
    };
    const limit = scheduler.after(timeoutMs, () => {
      this.#world.trace.fault(container.name, 'its time is up');
      container.kill();
    });
    container.onDeath = () => {
      this.#world.mail.interrupt(container);
      // Lambda learns of it some time later.
      scheduler.after(1, () => end('died'));
    };
    container.run(() => {
      const context = contextOf(name, container, deadline);
      // A handler's own code ends in the container, and what follows does not.
      handler(structuredClone(sabotage.event?.(name, event) ?? event), context).then(
        (output) => scheduler.after(0, () => container.alive && end({ output })),
        (error: Error) => scheduler.after(0, () => container.alive && end({ error })),
      );
    });
  }

  #freeContainer(definition: FunctionDefinition): { container: Container; handler: Handler } {
    const all = (this.#containers.get(definition.name) ?? []).filter(({ container }) => container.alive);
    this.#containers.set(definition.name, all);
    const free = all.find(({ container }) => !container.busy);
    // A new one now and then, so that there are different clocks and memories.
    if (free && (all.length > 2 || !this.#world.random.chance(0.1))) return free;
    const container = this.#world.newContainer(definition.name);
    const environment = { ...definition.environment, ...this.#world.plan.settings };
    const exports = container.run(() => this.#world.code.start(definition.file, environment));
    const started = { container, handler: exports?.handler as unknown as Handler };
    all.push(started);
    return started;
  }
}

function contextOf(name: string, { scheduler, random }: Container, deadline: number): Context {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    memoryLimitInMB: '512',
    awsRequestId: random.uuid(),
    logGroupName: name,
    logStreamName: name,
    getRemainingTimeInMillis: () => deadline - scheduler.now,
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}

/** Reads a consumer's queue: as many batches at once as its mapping allows. */
class QueueReader {
  readonly #world: World;
  readonly #functions: Functions;
  readonly #definition: FunctionDefinition & { consumer: NonNullable<FunctionDefinition['consumer']> };
  #running = 0;
  #polling = false;

  constructor(world: World, functions: Functions, definition: FunctionDefinition) {
    if (!definition.consumer) throw new Error(`${definition.name} has no queue`);
    this.#world = world;
    this.#functions = functions;
    this.#definition = { ...definition, consumer: definition.consumer };
    world.queues.onMessage(definition.consumer.queue, () => this.#poll());
  }

  #poll(): void {
    if (this.#polling) return;
    this.#polling = true;
    this.#world.scheduler.after(this.#world.random.between(1, 20), () => {
      this.#polling = false;
      this.#receive();
    });
  }

  #receive(): void {
    const { queues, trace, random, sabotage } = this.#world;
    const { name, consumer } = this.#definition;
    if (this.#running >= consumer.maximumConcurrency) return;
    // SQS asks some of its servers, so a batch may be smaller than what is there.
    const maximum = random.chance(0.8) ? 1 : consumer.batchSize;
    const messages = queues.receive(consumer.queue, maximum);
    if (messages.length === 0) return;
    const faults = new Set(this.#world.faultsAt('batch').map(({ what }) => what));
    if (faults.has('received twice')) {
      trace.fault('sqs', `hands ${messages.length} messages of ${consumer.queue} out twice`);
      for (const message of messages) {
        message.unfinished += 1;
        queues.show(consumer.queue, message);
      }
    }
    this.#running += 1;
    for (const message of messages) message.unfinished += 1;
    const acknowledge = (ended: Ended): void => {
      const failed = failuresOf(ended, messages);
      for (const message of messages) {
        if (ended !== 'died') message.unfinished -= 1;
        if (failed.has(message.id)) continue;
        if (faults.has('acknowledgement lost')) {
          message.unfinished += 1;
          trace.fault('lambda', `the acknowledgement for ${name} is lost`);
        } else queues.delete(consumer.queue, message.id);
      }
    };
    if (sabotage.acknowledgesFirst?.(name)) acknowledge({ output: { batchItemFailures: [] } });
    this.#functions.invoke(name, { Records: messages.map((message) => recordOf(message, consumer.queue)) }, (ended) => {
      this.#running -= 1;
      acknowledge(ended);
      this.#poll();
    });
    this.#poll();
  }
}

/** The messages that come again. */
function failuresOf(ended: Ended, messages: readonly Message[]): Set<string> {
  if (ended === 'died' || 'error' in ended) return new Set(messages.map(({ id }) => id));
  const { batchItemFailures = [] } = (ended.output ?? {}) as SQSBatchResponse;
  return new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
}

function recordOf({ id, handle, body, attributes, receives, sentAt, firstReceivedAt }: Message, queue: string): object {
  return {
    messageId: id,
    receiptHandle: handle,
    body,
    attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: String(sentAt),
      SenderId: 'AIDASIMULATION',
      ApproximateFirstReceiveTimestamp: String(firstReceivedAt),
    },
    messageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, { DataType, StringValue }]) => [
        name,
        { dataType: DataType, stringValue: StringValue },
      ]),
    ),
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn(queue),
    awsRegion: 'us-east-1',
  };
}

/** Reads the stream of a table: one batch after the other, and from the first record that failed again. */
class StreamReader {
  readonly #world: World;
  readonly #functions: Functions;
  readonly #definition: FunctionDefinition;
  readonly #waiting: StreamRecord[] = [];
  #running = false;
  #failures = 0;

  constructor(world: World, functions: Functions, definition: FunctionDefinition, tableName: string) {
    this.#world = world;
    this.#functions = functions;
    this.#definition = definition;
    const stream = world.engine.table(tableName)?.stream;
    if (!stream) throw new Error(`${tableName} has no stream`);
    stream.subscribe((record) => {
      if (!hasOutbox(record)) return;
      this.#waiting.push(record);
      this.#poll(world.random.between(1, 60));
    });
  }

  #poll(ms: number): void {
    if (this.#running) return;
    this.#running = true;
    this.#world.scheduler.after(ms, () => this.#invoke());
  }

  #invoke(): void {
    const batch = this.#waiting.slice(0, STREAM_BATCH);
    const Records = batch.map((record) => ({ ...record, eventSourceARN: 'arn' }));
    this.#functions.invoke(this.#definition.name, { Records }, (ended) => {
      this.#running = false;
      const done = this.#doneOf(ended, batch);
      this.#waiting.splice(0, done);
      this.#failures = done === batch.length ? 0 : this.#failures + 1;
      if (this.#waiting.length === 0) return;
      this.#poll(this.#failures === 0 ? 1 : backoffBound(this.#failures, STREAM_BACKOFF_MS));
    });
  }

  /** How many records of the batch are done. */
  #doneOf(ended: Ended, batch: readonly StreamRecord[]): number {
    if (this.#world.sabotage.ignoresStreamFailures) return batch.length;
    if (ended === 'died' || 'error' in ended) return 0;
    const { batchItemFailures = [] } = (ended.output ?? {}) as DynamoDBBatchResponse;
    if (batchItemFailures.length === 0) return batch.length;
    const failed = batchItemFailures.map(({ itemIdentifier }) =>
      batch.findIndex(({ dynamodb }) => dynamodb.SequenceNumber === itemIdentifier),
    );
    return Math.max(0, Math.min(...failed));
  }
}

/** The filter of every relay, see serverless.outbox.yml. */
function hasOutbox({ eventName, dynamodb: { NewImage } }: StreamRecord): boolean {
  const outbox = NewImage?.outbox;
  return eventName === 'INSERT' && outbox !== undefined && 'M' in outbox && 'S' in (outbox.M.detail ?? {});
}
