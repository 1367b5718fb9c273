import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteRuleCommand,
  EventBridgeClient,
  PutEventsCommand,
  type PutEventsCommandOutput,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  paginateListEventSourceMappings,
  UpdateEventSourceMappingCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { paginateListSchedules, SchedulerClient } from '@aws-sdk/client-scheduler';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  PurgeQueueCommand,
  PurgeQueueInProgress,
  paginateListQueues,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { EmittableEvent, type Metadata } from '@millrace/events';
import { eventually } from '@millrace/testing';
import type { System } from './system.ts';

const stage = 'dev';
const busName = `millrace-${stage}`;
export const analyticsBusName = `${busName}-analytics`;

/** The system's AWS side, as an operator sees it. */
export class Aws {
  readonly events: EventBridgeClient;
  readonly sqs: SQSClient;
  readonly lambda: LambdaClient;
  readonly scheduler: SchedulerClient;
  readonly kinesis: KinesisClient;
  readonly dynamodb: DynamoDBDocumentClient;
  /** What has been taken off queues, by queue and message id. */
  readonly #taken = new Set<string>();
  readonly #awsUrl: string;
  /** By access key id. */
  readonly #producers = new Map<string, EventBridgeClient>();

  constructor({ awsUrl }: Pick<System, 'awsUrl'>) {
    this.#awsUrl = awsUrl;
    const config = this.#config('test');
    this.events = new EventBridgeClient(config);
    this.sqs = new SQSClient(config);
    this.lambda = new LambdaClient(config);
    this.scheduler = new SchedulerClient(config);
    this.kinesis = new KinesisClient(config);
    this.dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient(config));
  }

  /** Stops the execution of a checkout, as somebody might do by hand. It has the checkout's id as its name. */
  async stopExecution(checkoutId: string): Promise<void> {
    const executionArn = `arn:aws:states:us-east-1:000000000000:execution:millrace-checkout-${stage}:${checkoutId}`;
    const response = await fetch(this.#awsUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'AWSStepFunctions.StopExecution',
        authorization:
          'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/states/aws4_request, SignedHeaders=host, Signature=0',
      },
      body: JSON.stringify({ executionArn }),
    });
    if (!response.ok) throw new Error(`StopExecution answered ${response.status}: ${await response.text()}`);
  }

  #config(accessKeyId: string) {
    return {
      endpoint: this.#awsUrl,
      region: 'us-east-1',
      credentials: { accessKeyId, secretAccessKey: 'test' },
    };
  }

  /** A client that acts as a service's relay, the only one that may put the service's events: its name is its access key id. */
  #producer(source: string): EventBridgeClient {
    const relay = `${source.replace('.', '-')}-${stage}-relay`;
    const known = this.#producers.get(relay);
    if (known) return known;
    const client = new EventBridgeClient(this.#config(relay));
    this.#producers.set(relay, client);
    return client;
  }

  /** Puts events on the bus as they are, each in a call of its own, as the service that owns it. */
  async put(...events: EmittableEvent[]): Promise<void> {
    for (const { source, detailType, detail, time } of events) {
      const { FailedEntryCount, Entries } = await this.#producer(source).send(
        new PutEventsCommand({
          Entries: [
            { EventBusName: busName, Source: source, DetailType: detailType, Detail: detail, Time: new Date(time) },
          ],
        }),
      );
      if (FailedEntryCount !== 0) throw new Error(`PutEvents refused ${detailType}: ${JSON.stringify(Entries)}`);
    }
  }

  /** Puts a made-up event as a function, or as anybody else, and returns the answer for it. */
  async putAs(accessKeyId: string, source: string, bus = busName): Promise<PutEventsCommandOutput['Entries']> {
    const client = new EventBridgeClient(this.#config(accessKeyId));
    const Entries = [{ EventBusName: bus, Source: source, DetailType: 'MadeUp.v1', Detail: '{}' }];
    return (await client.send(new PutEventsCommand({ Entries }))).Entries;
  }

  /** The URL of a function's queue, e.g. `queueUrl('orders', 'on-order-progress')`; `-dlq` for its dead-letter queue. */
  async queueUrl(service: string, queue: string): Promise<string> {
    const { QueueUrl } = await this.sqs.send(
      new GetQueueUrlCommand({ QueueName: `millrace-${service}-${stage}-${queue}` }),
    );
    if (!QueueUrl) throw new Error(`No queue for ${service} ${queue}`);
    return QueueUrl;
  }

  /** Sends messages, ten in a call and four calls at a time. */
  async sendAll(queueUrl: string, bodies: readonly string[]): Promise<void> {
    const starts = Array.from({ length: Math.ceil(bodies.length / 10) }, (_, index) => index * 10).values();
    const worker = async () => {
      for (const start of starts) {
        const batch = bodies.slice(start, start + 10);
        const Entries = batch.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
        const { Failed = [] } = await this.sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
        if (Failed.length > 0) throw new Error(`SendMessageBatch refused ${Failed.length} messages`);
      }
    };
    await Promise.all(Array.from({ length: 4 }, worker));
  }

  /** Puts a record into a stream, whatever is in it. */
  async putRecord(StreamARN: string, data: string | Uint8Array, PartitionKey: string = randomUUID()): Promise<void> {
    await this.kinesis.send(new PutRecordCommand({ StreamARN, PartitionKey, Data: Buffer.from(data) }));
  }

  /** Receives up to ten messages, which stay in the queue. */
  async receive(queueUrl: string, waitSeconds = 0): Promise<Message[]> {
    const { Messages = [] } = await this.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: waitSeconds,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['All'],
      }),
    );
    return Messages;
  }

  /** Takes up to ten messages off a queue, and each once: one that a standard queue delivers again is only deleted again. */
  async take(queueUrl: string, waitSeconds = 0): Promise<Message[]> {
    const { fresh, received } = await this.#takeOnce(queueUrl, waitSeconds);
    return fresh.length === 0 && received > 0 ? this.take(queueUrl, waitSeconds) : fresh;
  }

  /** Takes everything off a queue, also what a standard queue delivers again: no consumer will get any of it. */
  async takeAll(queueUrl: string): Promise<Message[]> {
    const taken: Message[] = [];
    for (;;) {
      const { fresh, received } = await this.#takeOnce(queueUrl);
      if (received === 0) return taken;
      taken.push(...fresh);
    }
  }

  async #takeOnce(queueUrl: string, waitSeconds = 0): Promise<{ fresh: Message[]; received: number }> {
    const messages = await this.receive(queueUrl, waitSeconds);
    if (messages.length > 0) {
      const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await this.sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    }
    const idOf = ({ MessageId }: Message): string => `${queueUrl} ${MessageId}`;
    const fresh = messages.filter((message) => !this.#taken.has(idOf(message)));
    for (const message of fresh) this.#taken.add(idOf(message));
    return { fresh, received: messages.length };
  }

  /** Empties a queue. SQS purges a queue once a minute; in between, the messages are taken off it. */
  async empty(queueUrl: string): Promise<void> {
    try {
      await this.sqs.send(new PurgeQueueCommand({ QueueUrl: queueUrl }));
    } catch (error) {
      if (!(error instanceof PurgeQueueInProgress)) throw error;
      await this.takeAll(queueUrl);
    }
  }

  /** Makes up for what a suite has left behind that failed: every function reads its queue, and every queue is empty. */
  async reset(): Promise<void> {
    for await (const { EventSourceMappings = [] } of paginateListEventSourceMappings({ client: this.lambda }, {})) {
      const paused = EventSourceMappings.filter(({ State }) => State === 'Disabled');
      const resume = ({ UUID }: { UUID?: string | undefined }) =>
        this.lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));
      await Promise.all(paused.map(resume));
    }
    for await (const { QueueUrls = [] } of paginateListQueues({ client: this.sqs }, {})) {
      await Promise.all(QueueUrls.map((url) => this.empty(url)));
    }
  }

  /** Calls a function as an operator does, and returns its answer. */
  async invoke(service: string, functionName: string, event: unknown = {}): Promise<unknown> {
    const FunctionName = `millrace-${service}-${stage}-${functionName}`;
    const answer = await this.lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));
    const text = answer.Payload?.transformToString() ?? '';
    if (answer.FunctionError) throw new Error(`${FunctionName} failed: ${text}`);
    return JSON.parse(text);
  }

  /** The names of all schedules. */
  async scheduleNames(): Promise<string[]> {
    const names: string[] = [];
    for await (const { Schedules = [] } of paginateListSchedules({ client: this.scheduler }, {})) {
      names.push(...Schedules.map(({ Name = '' }) => Name));
    }
    return names;
  }

  /** Gives a function's variable another value until the returned function is called. */
  async setVariable(service: string, functionName: string, name: string, value: string): Promise<() => Promise<void>> {
    const FunctionName = `millrace-${service}-${stage}-${functionName}`;
    const { Environment } = await this.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    const update = async (Variables: Record<string, string> = {}) => {
      await this.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
    };
    await update({ ...Environment?.Variables, [name]: value });
    return () => update(Environment?.Variables);
  }

  /** Stops a function from reading its queue until the returned function is called. */
  async pause(service: string, functionName: string): Promise<() => Promise<void>> {
    const name = `millrace-${service}-${stage}-${functionName}`;
    let uuid: string | undefined;
    for await (const page of paginateListEventSourceMappings({ client: this.lambda }, { FunctionName: name })) {
      uuid ??= page.EventSourceMappings?.[0]?.UUID;
    }
    if (!uuid) throw new Error(`${name} has no event source mapping`);
    const enable = async (Enabled: boolean) => {
      await this.lambda.send(new UpdateEventSourceMappingCommand({ UUID: uuid, Enabled }));
      await eventually(async () => {
        for await (const page of paginateListEventSourceMappings({ client: this.lambda }, { FunctionName: name })) {
          const state = page.EventSourceMappings?.[0]?.State;
          if (state !== (Enabled ? 'Enabled' : 'Disabled')) throw new Error(`${name} is ${state}`);
        }
      });
    };
    await enable(false);
    return () => enable(true);
  }

  /** Waits until no queue that a function reads holds or hands out a message, several times in a row. */
  async quiet(deadlineMs = 180_000): Promise<void> {
    const urls: string[] = [];
    for await (const page of paginateListQueues({ client: this.sqs }, { QueueNamePrefix: 'millrace-' })) {
      urls.push(...(page.QueueUrls ?? []).filter((url) => !/-(dlq|parking)$/.test(url)));
    }
    // Two queues may hand a message to each other between one look and the next, with the event in a table meanwhile.
    const rounds = 4;
    let quietRounds = 0;
    await eventually(
      async () => {
        // Looks at as few queues as it must: what it waits for shares the machine with it. A busy queue is asked first again.
        for (const [index, url] of urls.entries()) {
          const depth = await this.depth(url);
          if (depth === 0) continue;
          quietRounds = 0;
          urls.unshift(...urls.splice(index, 1));
          throw new Error(`Busy: ${url} holds ${depth} messages`);
        }
        quietRounds += 1;
        if (quietRounds < rounds) throw new Error(`Not quiet for long: ${quietRounds} of ${rounds} times`);
      },
      { deadlineMs, intervalMs: 250 },
    );
  }

  /** Messages in a queue, those handed out included. */
  async depth(queueUrl: string): Promise<number> {
    const { Attributes = {} } = await this.sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ],
      }),
    );
    return Object.values(Attributes).reduce((sum, count) => sum + Number(count), 0);
  }

  /** Waits until a queue holds as many messages, those handed out included. */
  async depthOfAtLeast(queueName: string, count: number): Promise<void> {
    const { QueueUrl = '' } = await this.sqs.send(new GetQueueUrlCommand({ QueueName: queueName }));
    await eventually(
      async () => {
        const depth = await this.depth(QueueUrl);
        if (depth < count) throw new Error(`${queueName} holds ${depth} messages of ${count}`);
      },
      { intervalMs: 100 },
    );
  }

  /** Listens to every event on a bus, or to those of one detail-type. */
  async tap(detailType?: string, EventBusName = busName): Promise<Tap> {
    const name = `tap-${randomUUID()}`;
    const { QueueUrl = '' } = await this.sqs.send(new CreateQueueCommand({ QueueName: name }));
    const { Attributes } = await this.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
    );
    const statement = { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage' };
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ ...statement, Resource: Attributes?.QueueArn }],
    });
    await this.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
    const EventPattern = JSON.stringify({
      source: [{ prefix: 'millrace.' }],
      ...(detailType ? { 'detail-type': [detailType] } : {}),
    });
    await this.events.send(new PutRuleCommand({ Name: name, EventBusName, EventPattern }));
    await this.events.send(
      new PutTargetsCommand({ Rule: name, EventBusName, Targets: [{ Id: 'tap', Arn: Attributes?.QueueArn }] }),
    );
    return new Tap(this, { EventBusName, name, queueUrl: QueueUrl });
  }
}

export type TappedEvent = EmittableEvent<{ data: Record<string, unknown>; metadata: Metadata }>;

/** What went over the bus since the tap was opened. */
export class Tap {
  readonly #aws: Aws;
  readonly #name: string;
  readonly #bus: string;
  readonly #queueUrl: string;
  readonly #heard: TappedEvent[] = [];

  constructor(aws: Aws, { EventBusName, name, queueUrl }: { EventBusName: string; name: string; queueUrl: string }) {
    this.#aws = aws;
    this.#bus = EventBusName;
    this.#name = name;
    this.#queueUrl = queueUrl;
  }

  /** The next events, up to ten; waits a second for the first. */
  async next(waitSeconds = 1): Promise<TappedEvent[]> {
    return (await this.nextTexts(waitSeconds)).map((text) => {
      const envelope = JSON.parse(text);
      return new EmittableEvent({
        source: envelope.source,
        detailType: envelope['detail-type'],
        detail: JSON.stringify(envelope.detail),
        time: envelope.time,
      });
    });
  }

  /** As `next`, as the texts that consumers get. */
  async nextTexts(waitSeconds = 1): Promise<string[]> {
    return (await this.#aws.take(this.#queueUrl, waitSeconds)).map(({ Body = '' }) => Body);
  }

  /** All events so far that have this value in their data: an order id or a SKU. */
  async about(value: string): Promise<TappedEvent[]> {
    for (let events = await this.next(0); events.length > 0; events = await this.next(0)) this.#heard.push(...events);
    return this.#heard.filter(({ event }) => event.data.orderId === value || event.data.sku === value);
  }

  /** Waits for events of these types about an order or SKU, and returns everything about it. */
  async waitFor(value: string, ...detailTypes: string[]): Promise<TappedEvent[]> {
    return eventually(async () => {
      const events = await this.about(value);
      const missing = detailTypes.filter((type) => !events.some(({ detailType }) => detailType === type));
      if (missing.length > 0) throw new Error(`Not on the bus for ${value}: ${missing.join(', ')}`);
      return events;
    });
  }

  async close(): Promise<void> {
    const rule = { EventBusName: this.#bus };
    await this.#aws.events.send(new RemoveTargetsCommand({ ...rule, Rule: this.#name, Ids: ['tap'] }));
    await this.#aws.events.send(new DeleteRuleCommand({ ...rule, Name: this.#name }));
    await this.#aws.sqs.send(new DeleteQueueCommand({ QueueUrl: this.#queueUrl }));
  }
}
