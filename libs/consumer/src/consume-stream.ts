import { type Sqs, sqs as sqsClient } from '@millrace/aws';
import { failureAttributes, messageAttributes } from '@millrace/dead-letters';
import { MillraceError, PermanentError, variableFrom } from '@millrace/errors';
import { NotUnicodeError, parseJson } from '@millrace/events';
import { messageOf } from '@millrace/privacy';
import { withinInvocation } from '@millrace/retry';
import { logger, MetricUnit, metrics, publishMetrics } from '@millrace/telemetry';
import type { Context, KinesisStreamBatchResponse, KinesisStreamEvent, KinesisStreamRecord } from 'aws-lambda';
import type { output, ZodType } from 'zod';
import { LetterBox } from './letter-box.ts';

/** A record of a stream, read and validated. */
interface StreamRecord<Data = unknown> {
  data: Data;
  partitionKey: string;
  /** Unique in its shard, and grows with each record. */
  sequenceNumber: string;
  /** When the stream took it. */
  arrivedAt: Date;
}

/** Who a stream's consumer is, and where its dead letters go. */
interface StreamConsumerSettings {
  consumer: string;
  deadLetterQueueUrl: string;
}

/** Side effects, for tests to replace. */
interface ConsumeStreamDependencies {
  sqs?: Sqs;
  settings?: StreamConsumerSettings;
  now?: () => Date;
}

/** The record is not what the consumer's schema describes. */
class InvalidRecordError extends PermanentError {}

/**
 * The Lambda handler of a Kinesis stream's consumer. It validates each record, hands the sound ones of a batch to `handle`
 * together and in their order, and answers with the first record that is not done: Lambda comes again from there.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 *
 * A record that no retry can help (it is malformed, or `handle` answered a `PermanentError` for it) goes to the dead-letter
 * queue at once with its reason, and holds no other back. Anything else is tried again until Lambda gives the record up and
 * sends its position to the same queue. When `handle` throws, the invocation fails and Lambda divides the batch, so that one
 * record cannot stop its neighbours.
 *
 * @param schema of a record's JSON
 * @param handle the records of a batch. The same record may come again, in another batch, so its effect must recognise itself. It
 *   answers with as many outcomes, in the same order: undefined for a record that is done, or the error it failed with.
 * @throws ConfigurationError when a setting is missing
 * @example
 * export const handler = consumeStream(view, (records) => counters.add(records));
 */
export function consumeStream<Schema extends ZodType>(
  schema: Schema,
  handle: (records: readonly StreamRecord<output<Schema>>[]) => Promise<readonly (Error | undefined)[]>,
  dependencies: ConsumeStreamDependencies = {},
): (event: KinesisStreamEvent, context: Context) => Promise<KinesisStreamBatchResponse> {
  const settings = dependencies.settings ?? settingsFrom();
  const now = dependencies.now ?? (() => new Date());
  const letterBox = new LetterBox(dependencies.sqs ?? sqsClient(), settings.deadLetterQueueUrl);

  async function outcomesOf(records: readonly KinesisStreamRecord[]): Promise<(Error | undefined)[]> {
    const read = records.map((record) => readRecord(record, schema));
    const sound = read.filter((each): each is StreamRecord<output<Schema>> => !(each instanceof Error));
    const answers = sound.length === 0 ? [] : await handle(sound);
    if (answers.length !== sound.length) {
      throw new TypeError(`The handler answered ${answers.length} outcomes for ${sound.length} records`);
    }
    const answerOf = new Map(sound.map((each, index) => [each, answers[index]]));
    return read.map((each) => (each instanceof Error ? each : answerOf.get(each)));
  }

  /** Resolves when the record may count as done. */
  async function settle(record: KinesisStreamRecord, error: Error | undefined): Promise<void> {
    if (error === undefined) return;
    const details = { error_code: codeOf(error), sequence_number: record.kinesis.sequenceNumber, error };
    if (!(error instanceof PermanentError)) {
      logger.warn('A record failed and will be retried', details);
      throw error;
    }
    logger.error('A record goes to the dead-letter queue', details);
    await letterBox.send(letterOf(record, error, settings.consumer, now()));
  }

  return async ({ Records }, context) =>
    withinInvocation(context, async () => {
      const outcomes = await outcomesOf(Records);
      const settled = await Promise.allSettled(Records.map((record, index) => settle(record, outcomes[index])));
      const handled = outcomes.filter((error) => error === undefined).length;
      if (handled > 0) metrics.addMetric('RecordHandled', MetricUnit.Count, handled);
      if (handled < Records.length) metrics.addMetric('RecordFailed', MetricUnit.Count, Records.length - handled);
      publishMetrics();
      const first = Records[settled.findIndex(({ status }) => status === 'rejected')];
      return { batchItemFailures: first ? [{ itemIdentifier: first.kinesis.sequenceNumber }] : [] };
    });
}

function readRecord<Schema extends ZodType>(
  { kinesis }: KinesisStreamRecord,
  schema: Schema,
): StreamRecord<output<Schema>> | InvalidRecordError {
  let value: unknown;
  try {
    value = parseJson(Buffer.from(kinesis.data, 'base64').toString('utf8'));
  } catch (error) {
    const problem = error instanceof NotUnicodeError ? 'contains a string that is not valid Unicode' : 'is not JSON';
    return new InvalidRecordError('MALFORMED_RECORD', `The record ${problem}`);
  }
  const result = schema.safeParse(value);
  if (!result.success) {
    // Which members are wrong, and not what is in them.
    const fields = new Set(result.error.issues.map(({ path }) => path.join('.') || 'record'));
    return new InvalidRecordError('SCHEMA_VIOLATION', `The record does not fit its schema: ${[...fields].join(', ')}`);
  }
  return {
    data: result.data,
    partitionKey: kinesis.partitionKey,
    sequenceNumber: kinesis.sequenceNumber,
    arrivedAt: new Date(kinesis.approximateArrivalTimestamp * 1000),
  };
}

/** In Base64 a record can be larger than a message of SQS may be, with room for the rest of the letter. */
const MAX_DATA_LENGTH = 1_000_000;

/** The whole record: a stream forgets it after a day. Its bytes stay in Base64, for SQS takes no control characters. */
function letterOf(record: KinesisStreamRecord, error: Error, consumer: string, now: Date) {
  const { eventID, eventSourceARN, kinesis } = record;
  const { data, ...position } = kinesis;
  const kept = data.length <= MAX_DATA_LENGTH ? kinesis : position;
  const MessageBody = JSON.stringify({ eventID, eventSourceARN, kinesis: kept });
  const reason = failureAttributes(
    {
      code: codeOf(error),
      message: messageOf(error),
      kind: 'permanent',
      consumer,
      functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
      attempts: 1,
      firstFailedAt: now,
      lastFailedAt: now,
      correlationId: undefined,
    },
    MessageBody,
  );
  return { MessageBody, MessageAttributes: messageAttributes(reason, MessageBody) };
}

function codeOf(error: Error): string {
  return error instanceof MillraceError ? error.code : error.name;
}

function settingsFrom(): StreamConsumerSettings {
  return {
    consumer: variableFrom('MILLRACE_CONSUMER', 'the name of the consumer, e.g. live-figures.onView'),
    deadLetterQueueUrl: variableFrom('MILLRACE_CONSUMER_DLQ_URL', 'the URL of its dead-letter queue'),
  };
}
