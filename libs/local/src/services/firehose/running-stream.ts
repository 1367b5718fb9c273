import { AwsError } from '../../core/aws-error.ts';
import type { Host } from '../../core/service.ts';
import { kinesis } from '../kinesis/index.ts';
import type { EventSourceMapping } from '../lambda/event-source-mapping.ts';
import { lambda } from '../lambda/index.ts';
import { kinesisSource } from '../lambda/kinesis-source.ts';
import { startStreamMapping } from '../lambda/stream-mapping.ts';
import { s3 } from '../s3/index.ts';
import { Deliveries } from './delivery.ts';
import { planOf } from './delivery-plan.ts';
import type { DeliveryPlan, DeliveryStream } from './delivery-stream.ts';
import { invalidArgument } from './errors.ts';
import type { FirehoseStore } from './firehose-store.ts';
import { type FirehoseMetric, unitOf } from './metrics.ts';
import { countRecords } from './usage.ts';

const PRINCIPAL = 'firehose.amazonaws.com';
/** https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#firehose-assume-role */
const READS = ['kinesis:DescribeStream', 'kinesis:GetShardIterator', 'kinesis:GetRecords'];
const READ_RECORDS = 10_000;

/** A delivery stream at work: it delivers what is put into it, and reads its Kinesis stream. */
export class RunningStream {
  readonly stream: DeliveryStream;
  readonly #deliveries: Deliveries;
  readonly #plan: DeliveryPlan;
  readonly #host: Host;
  readonly #store: FirehoseStore;
  readonly #arn: string;
  #reading: EventSourceMapping | undefined;

  /** @throws AwsError InvalidArgumentException for a destination that is not valid, or not available here */
  constructor(stream: DeliveryStream, arn: string, { host, store }: { host: Host; store: FirehoseStore }) {
    const { destination } = stream;
    const { RoleARN, BucketARN } = destination;
    this.stream = stream;
    this.#host = host;
    this.#store = store;
    this.#arn = arn;
    this.#plan = planOf(destination);
    this.#deliveries = new Deliveries({
      ...{ stream, arn, store, region: host.region, clock: host.clock, warn: host.warn },
      plan: this.#plan,
      putObject: async (Key, Body) => {
        this.#authorize(RoleARN, 's3:PutObject', `${BucketARN}/${Key}`);
        await host.handleOf(s3).call('PutObject', { Bucket: BucketARN.split(':::')[1] ?? '', Key, Body });
      },
      call: async (functionArn, payload) => {
        this.#authorize(RoleARN, 'lambda:InvokeFunction', functionArn);
        const { result } = await host.handleOf(lambda).invoke(functionArn, payload);
        if (result.functionError) throw new Error(`The function ended with ${result.functionError}`);
        return result.payload;
      },
      report: (values) => this.report(values),
    });
  }

  /** Starts what happens by itself. @throws AwsError InvalidArgumentException when the Kinesis stream is not there */
  start(): void {
    this.#deliveries.schedule();
    const { source } = this.stream;
    if (!source) return;
    const { KinesisStreamARN: arn, RoleARN: roleArn } = source;
    const streams = this.#host.handleOf(kinesis);
    if (!streams.isThere(arn)) throw invalidArgument(`The Kinesis stream ${arn} does not exist`);
    this.#reading = startStreamMapping({
      clock: this.#host.clock,
      // https://docs.aws.amazon.com/firehose/latest/dev/writing-with-kinesis-streams.html
      properties: { EventSourceArn: arn, FunctionName: this.#arn, StartingPosition: 'LATEST', BatchSize: READ_RECORDS },
      functionArn: this.#arn,
      source: kinesisSource({
        arn,
        roleArn,
        now: () => this.#host.clock.now(),
        call: async (operation, input) => {
          for (const action of READS) this.#authorize(roleArn, action, arn);
          const output = streams.call(operation, input);
          const behind = (output as { MillisBehindLatest?: number }).MillisBehindLatest;
          if (behind !== undefined) this.report({ KinesisMillisBehindLatest: behind });
          return output;
        },
        onRecords: (listener) => streams.onRecords(arn, listener),
      }),
      checkpoints: {
        load: async (key) => this.#store.loadCheckpoint(this.stream.name, key),
        save: async (key, value) => this.#store.saveCheckpoint(this.stream.name, key, value),
      },
      invoke: async (payload) => {
        const { Records } = JSON.parse(payload) as { Records: { kinesis: { data: string } }[] };
        const records = Records.map((record) => Buffer.from(record.kinesis.data, 'base64'));
        this.add(records);
        this.report({
          'DataReadFromKinesisStream.Records': records.length,
          'DataReadFromKinesisStream.Bytes': records.reduce((sum, { length }) => sum + length, 0),
        });
        return { requestId: '', logTail: '', payload: 'null' };
      },
      sendToDestination: async () => {},
      onWarning: this.#host.warn,
    });
  }

  /** Keeps records for their delivery. @returns their ids */
  add(records: readonly Uint8Array[]): number[] {
    const arrivedAt = this.#host.clock.now();
    const ids = this.#store.add(
      this.stream.name,
      records.map((data) => ({ data, arrivedAt })),
    );
    const bytes = records.reduce((sum, { length }) => sum + length, 0);
    this.#deliveries.added(bytes, arrivedAt);
    const { usage } = this.#host;
    if (usage) countRecords(usage, { stream: this.stream.name, plan: this.#plan, arrivedAt }, records);
    return ids;
  }

  report(values: Partial<Record<FirehoseMetric, number>>): void {
    const dimensions = { DeliveryStreamName: this.stream.name };
    for (const [name, value] of Object.entries(values)) {
      const unit = unitOf(name as FirehoseMetric);
      this.#host.metric({ namespace: 'AWS/Firehose', name, value, dimensions, unit });
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.#reading?.stop(), this.#deliveries.stop()]);
  }

  #authorize(roleArn: string, action: string, resource: string): void {
    const sender = { service: PRINCIPAL, sourceArn: this.#arn, roleArn };
    const refusal = this.#host.authorizer.findSenderRefusal(sender, { action, resource });
    if (refusal) throw new AwsError('AccessDeniedException', refusal.message, 403);
  }
}
