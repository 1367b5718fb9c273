import { randomUUID } from 'node:crypto';
import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import type { Host, Operations } from '../../core/service.ts';
import type { DeliveryStream, S3Destination } from './delivery-stream.ts';
import { invalidArgument, unavailable } from './errors.ts';
import { FirehoseStore } from './firehose-store.ts';
import { RunningStream } from './running-stream.ts';
import { check, type FirehoseOperation, firehoseOperations } from './shapes.ts';

/** https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html */
const RECORD_BYTES = 1000 * 1024;
const BATCH_BYTES = 4 * 1024 * 1024;
/** What CreateDeliveryStream takes here. Anything else is refused by name. */
export const MEMBERS: readonly string[] = [
  ...['DeliveryStreamName', 'DeliveryStreamType', 'KinesisStreamSourceConfiguration', 'S3DestinationConfiguration'],
  ...[
    'ExtendedS3DestinationConfiguration',
    'DeliveryStreamEncryptionConfigurationInput',
    'Tags',
    'DirectPutSourceConfiguration',
  ],
];

type TagList = readonly { Key: string; Value?: string }[];

/** Amazon Data Firehose: its operations, and what other services may use of it. */
export class Firehose {
  readonly #host: Host;
  readonly #store: FirehoseStore;
  readonly #streams = new Map<string, RunningStream>();
  readonly #operations: Readonly<Record<FirehoseOperation, (input: Input) => unknown>> = {
    CreateDeliveryStream: (input) => this.#create(input),
    DeleteDeliveryStream: (input) => this.#delete(input),
    DescribeDeliveryStream: (input) => this.#describe(input),
    ListDeliveryStreams: (input) => this.#list(input),
    ListTagsForDeliveryStream: (input) => this.#listTags(input),
    PutRecord: (input) => this.#put(input),
    PutRecordBatch: (input) => this.#putBatch(input),
    TagDeliveryStream: (input) => this.#tag(input),
    UntagDeliveryStream: (input) => this.#untag(input),
  };
  #isActive = false;

  constructor(host: Host) {
    this.#host = host;
    this.#store = new FirehoseStore(host.dataDirectory);
    for (const stream of this.#store.streams()) this.#streams.set(stream.name, this.#running(stream));
  }

  get operations(): Operations {
    return Object.fromEntries(firehoseOperations.map((name) => [name, (input: Input) => this.call(name, input)]));
  }

  /** @throws AwsError */
  call(operation: FirehoseOperation, input: Input): unknown {
    check(operation, input);
    return this.#operations[operation](input);
  }

  isThere(arn: string): boolean {
    const name = arn.split(':deliverystream/')[1] ?? '';
    return this.#streams.has(name) && arn === this.#arnOf(name);
  }

  /**
   * Makes a delivery stream as a template has it; one that is there keeps what it has not delivered.
   * @throws AwsError
   */
  async declare(name: string, properties: Input): Promise<void> {
    const input: Input = { ...properties, DeliveryStreamName: name };
    check('CreateDeliveryStream', input);
    const made = this.#streamOf(input);
    const createdAt = this.#streams.get(name)?.stream.createdAt ?? made.createdAt;
    const stream = { ...made, createdAt, isDeclared: true };
    const running = this.#running(stream);
    await this.#streams.get(name)?.stop();
    this.#store.save(stream);
    this.#streams.set(name, running);
  }

  /** Removes what no template has any more, and starts the others. */
  async activate(declared: ReadonlySet<string>): Promise<void> {
    this.#isActive = true;
    for (const [name, running] of this.#streams) {
      if (running.stream.isDeclared && !declared.has(name)) await this.#remove(name);
      else this.#start(name, running);
    }
  }

  /** @throws Error for one of a template that cannot start. What the API has made may lack what it reads: it comes back with that */
  #start(name: string, running: RunningStream): void {
    try {
      running.start();
    } catch (error) {
      const message = `Delivery stream ${name} cannot start: ${(error as Error).message}`;
      if (running.stream.isDeclared) throw new Error(message, { cause: error });
      this.#host.warn(message);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#streams.values()].map((running) => running.stop()));
  }

  /** The delivery streams with what waits in them, for a console. */
  console(): object[] {
    return [...this.#streams.keys()].sort().map((name) => ({ name, waitingBytes: this.#store.waiting(name).bytes }));
  }

  close(): void {
    this.#store.close();
  }

  #create(input: Input): object {
    const name = String(input.DeliveryStreamName);
    if (this.#streams.has(name)) {
      const message = `Firehose ${name} under accountId ${this.#host.accountId} already exists`;
      throw new AwsError('ResourceInUseException', message);
    }
    const stream = this.#streamOf(input);
    const running = this.#running(stream);
    if (this.#isActive) running.start();
    this.#store.save(stream);
    this.#streams.set(name, running);
    return { DeliveryStreamARN: this.#arnOf(name) };
  }

  /** @throws AwsError InvalidArgumentException for what is not available here */
  #streamOf(input: Input): DeliveryStream {
    const other = Object.keys(input).find((member) => !MEMBERS.includes(member) && input[member] !== undefined);
    if (other !== undefined) throw unavailable(other);
    const { DeliveryStreamType: type = 'DirectPut', KinesisStreamSourceConfiguration: source } = input;
    const { ExtendedS3DestinationConfiguration, S3DestinationConfiguration } = input;
    if (type !== 'DirectPut' && type !== 'KinesisStreamAsSource')
      throw unavailable(`The DeliveryStreamType ${String(type)}`);
    if ((type === 'KinesisStreamAsSource') !== (source !== undefined)) {
      throw invalidArgument('KinesisStreamSourceConfiguration belongs to the DeliveryStreamType KinesisStreamAsSource');
    }
    const destination = ExtendedS3DestinationConfiguration ?? S3DestinationConfiguration;
    if (destination === undefined) throw invalidArgument('ExtendedS3DestinationConfiguration must be given');
    const encryption = input.DeliveryStreamEncryptionConfigurationInput;
    return {
      name: String(input.DeliveryStreamName),
      createdAt: this.#host.clock.now(),
      destination: destination as S3Destination,
      ...(source !== undefined && { source: source as NonNullable<DeliveryStream['source']> }),
      ...(encryption !== undefined && { encryption: encryption as Record<string, unknown> }),
      tags: tagMap(input.Tags),
      isDeclared: false,
    };
  }

  #running(stream: DeliveryStream): RunningStream {
    return new RunningStream(stream, this.#arnOf(stream.name), { host: this.#host, store: this.#store });
  }

  async #delete({ DeliveryStreamName }: Input): Promise<object> {
    await this.#remove(this.#named(DeliveryStreamName).stream.name);
    return {};
  }

  async #remove(name: string): Promise<void> {
    const running = this.#streams.get(name);
    this.#streams.delete(name);
    await running?.stop();
    this.#store.delete(name);
  }

  #describe({ DeliveryStreamName }: Input): object {
    const { name, createdAt, destination, source, encryption } = this.#named(DeliveryStreamName).stream;
    const { RoleARN, BucketARN, Prefix, BufferingHints = {}, CompressionFormat = 'UNCOMPRESSED' } = destination;
    const hints = { SizeInMBs: 5, IntervalInSeconds: 300, ...BufferingHints };
    const common = {
      EncryptionConfiguration: { NoEncryptionConfig: 'NoEncryption' },
      CompressionFormat,
      BufferingHints: hints,
    };
    return {
      DeliveryStreamDescription: {
        DeliveryStreamName: name,
        DeliveryStreamARN: this.#arnOf(name),
        DeliveryStreamStatus: 'ACTIVE',
        DeliveryStreamType: source ? 'KinesisStreamAsSource' : 'DirectPut',
        DeliveryStreamEncryptionConfiguration: encryption
          ? { Status: 'ENABLED', ...encryption }
          : { Status: 'DISABLED' },
        VersionId: '1',
        CreateTimestamp: createdAt / 1000,
        ...(source && {
          Source: { KinesisStreamSourceDescription: { ...source, DeliveryStartTimestamp: createdAt / 1000 } },
        }),
        Destinations: [
          {
            DestinationId: 'destinationId-000000000001',
            S3DestinationDescription: { ...common, RoleARN, BucketARN, ...(Prefix !== undefined && { Prefix }) },
            ExtendedS3DestinationDescription: {
              S3BackupMode: 'Disabled',
              ...common,
              ...destination,
              BufferingHints: hints,
            },
          },
        ],
        HasMoreDestinations: false,
      },
    };
  }

  #list({ Limit = 10, ExclusiveStartDeliveryStreamName: after, DeliveryStreamType: type }: Input): object {
    const names = [...this.#streams.values()]
      .filter(({ stream }) => type === undefined || (type === 'DirectPut') === (stream.source === undefined))
      .map(({ stream }) => stream.name)
      .filter((name) => after === undefined || name > String(after))
      .sort();
    const page = names.slice(0, Number(Limit));
    return { DeliveryStreamNames: page, HasMoreDeliveryStreams: page.length < names.length };
  }

  #put({ DeliveryStreamName, Record: record }: Input): object {
    const running = this.#writable(DeliveryStreamName);
    const data = dataOf(record);
    const [id] = running.add([data]);
    this.#host.usage?.add('firehose.requests', running.stream.name, 1, 'PutRecord');
    const { length } = data;
    running.report({ IncomingBytes: length, IncomingRecords: 1, 'PutRecord.Bytes': length, 'PutRecord.Requests': 1 });
    return { RecordId: recordId(id), Encrypted: running.stream.encryption !== undefined };
  }

  #putBatch({ DeliveryStreamName, Records }: Input): object {
    const running = this.#writable(DeliveryStreamName);
    const records = (Records as unknown[]).map(dataOf);
    const bytes = records.reduce((sum, { length }) => sum + length, 0);
    if (bytes > BATCH_BYTES) throw invalidArgument(`Records size exceeds ${BATCH_BYTES / 1024 / 1024} MB limit`);
    const ids = running.add(records);
    this.#host.usage?.add('firehose.requests', running.stream.name, 1, 'PutRecordBatch');
    running.report({
      ...{ IncomingBytes: bytes, IncomingRecords: records.length, 'PutRecordBatch.Bytes': bytes },
      ...{ 'PutRecordBatch.Records': records.length, 'PutRecordBatch.Requests': 1 },
    });
    return {
      FailedPutCount: 0,
      Encrypted: running.stream.encryption !== undefined,
      RequestResponses: ids.map((id) => ({ RecordId: recordId(id) })),
    };
  }

  #tag({ DeliveryStreamName, Tags }: Input): object {
    const { stream } = this.#named(DeliveryStreamName);
    const tags = { ...stream.tags, ...tagMap(Tags) };
    if (Object.keys(tags).length > 50) {
      throw new AwsError('LimitExceededException', `Firehose ${stream.name} cannot have more than 50 tags`);
    }
    return this.#setTags(stream, tags);
  }

  #untag({ DeliveryStreamName, TagKeys }: Input): object {
    const { stream } = this.#named(DeliveryStreamName);
    const rest = Object.entries(stream.tags).filter(([key]) => !(TagKeys as string[]).includes(key));
    return this.#setTags(stream, Object.fromEntries(rest));
  }

  #setTags(stream: DeliveryStream, tags: Record<string, string>): object {
    stream.tags = tags;
    this.#store.save(stream);
    return {};
  }

  #listTags({ DeliveryStreamName, ExclusiveStartTagKey: after, Limit = 50 }: Input): object {
    const tags = Object.entries(this.#named(DeliveryStreamName).stream.tags)
      .map(([Key, Value]) => ({ Key, Value }))
      .sort((one, other) => (one.Key < other.Key ? -1 : 1))
      .filter(({ Key }) => after === undefined || Key > String(after));
    const page = tags.slice(0, Number(Limit));
    return { Tags: page, HasMoreTags: page.length < tags.length };
  }

  #writable(name: unknown): RunningStream {
    const running = this.#named(name);
    if (!running.stream.source) return running;
    throw invalidArgument('This operation is not permitted on KinesisStreamAsSource delivery stream type.');
  }

  #named(name: unknown): RunningStream {
    const running = this.#streams.get(String(name));
    if (running) return running;
    const message = `Firehose ${String(name)} under account ${this.#host.accountId} not found.`;
    throw new AwsError('ResourceNotFoundException', message);
  }

  #arnOf(name: string): string {
    return `arn:aws:firehose:${this.#host.region}:${this.#host.accountId}:deliverystream/${name}`;
  }
}

function dataOf(record: unknown): Buffer {
  const data = Buffer.from(String((record as { Data: string }).Data), 'base64');
  if (data.length > RECORD_BYTES)
    throw invalidArgument(`A record has at most ${RECORD_BYTES} bytes, not ${data.length}`);
  return data;
}

function tagMap(tags: unknown): Record<string, string> {
  return Object.fromEntries(((tags ?? []) as TagList).map(({ Key, Value = '' }) => [Key, Value]));
}

function recordId(id: number | undefined): string {
  return `${randomUUID()}-${id}`;
}
