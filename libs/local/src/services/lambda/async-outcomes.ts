import type { Clock } from '../../core/clock.ts';
import { type MessageAttribute, textAttribute } from '../../core/delivery.ts';
import { LATEST } from './function-identifier.ts';
import type { InvocationResult } from './function-pool.ts';
import type { AsyncEvent } from './lambda-store.ts';

/** What an invocation has come to, and of which version. */
export type VersionedResult = InvocationResult & { executedVersion: string };

/** What became of an asynchronous event, in the words of its record. */
export type AsyncOutcome = 'Success' | 'RetriesExhausted' | 'EventAgeExceeded';

/** Sends an event that is done with to where it goes then. Never rejects. */
export type SendOutcome = (event: AsyncEvent, outcome: AsyncOutcome) => Promise<void>;

/** Where the events of a function go when they are done with: ARNs. */
export interface OutcomeTargets {
  functionArn: string;
  onSuccess: string | undefined;
  onFailure: string | undefined;
  deadLetterQueue: string | undefined;
}

export interface AsyncOutcomesOptions {
  clock: Clock;
  targetsOf: (functionName: string, qualifier: string | undefined) => OutcomeTargets;
  /** Sends a message to a queue or a topic, or an event to a function, with the permissions of a function. */
  deliver: (
    functionName: string,
    targetArn: string,
    body: string,
    attributes?: Readonly<Record<string, MessageAttribute>>,
  ) => Promise<void>;
  /** Writes a record into a bucket. */
  putObject: (functionName: string, bucketArn: string, folder: string, body: string) => Promise<void>;
  putEvent: (functionName: string, busArn: string, entry: OutcomeEntry) => Promise<void>;
  metric: (functionName: string, metric: 'DestinationDeliveryFailures' | 'DeadLetterErrors', value: number) => void;
  warn: (line: string) => void;
}

/** An entry of PutEvents. */
export interface OutcomeEntry {
  Source: string;
  DetailType: string;
  Resources: string[];
  Detail: string;
}

/** Of the error message, in a dead letter. */
const ERROR_MESSAGE_BYTES = 1024;

/**
 * Makes what sends records of asynchronous invocations to destinations, and dead events to the dead-letter queue. Each is tried once,
 * as on AWS: a metric tells what could not be sent.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
export function outcomeSender(options: AsyncOutcomesOptions): SendOutcome {
  return async (event, outcome) => {
    const { functionName } = event;
    const targets = options.targetsOf(functionName, event.qualifier);
    const destination = outcome === 'Success' ? targets.onSuccess : targets.onFailure;
    const { deadLetterQueue } = targets;
    if (destination !== undefined) {
      try {
        await sendRecord(event, outcome, destination, targets.functionArn, options);
      } catch (error) {
        options.metric(functionName, 'DestinationDeliveryFailures', 1);
        options.warn(`${functionName} could not send a record to its destination ${destination}: ${messageOf(error)}`);
      }
    }
    if (outcome === 'Success') return;
    if (deadLetterQueue !== undefined) {
      try {
        await options.deliver(functionName, deadLetterQueue, event.payload, deadLetterAttributes(event));
      } catch (error) {
        options.metric(functionName, 'DeadLetterErrors', 1);
        options.warn(
          `${functionName} could not send an event to its dead-letter queue ${deadLetterQueue}: ${messageOf(error)}`,
        );
      }
    } else if (destination === undefined) {
      const why = 'it has neither an on-failure destination nor a dead-letter queue';
      options.warn(`${functionName} has given up an asynchronous event (${outcome}), and ${why}: the event is lost`);
    }
  };
}

async function sendRecord(
  event: AsyncEvent,
  outcome: AsyncOutcome,
  destination: string,
  functionArn: string,
  { clock, deliver, putEvent, putObject }: AsyncOutcomesOptions,
): Promise<void> {
  const qualifiedArn = `${functionArn}:${event.qualifier ?? LATEST}`;
  const record = invocationRecord(event, outcome, qualifiedArn, clock.now());
  if (destination.startsWith('arn:aws:s3:')) {
    return putObject(event.functionName, destination, `async/${event.functionName}`, record);
  }
  if (!destination.startsWith('arn:aws:events:')) return deliver(event.functionName, destination, record);
  return putEvent(event.functionName, destination, {
    Source: 'lambda',
    DetailType: `Lambda Function Invocation Result - ${outcome === 'Success' ? 'Success' : 'Failure'}`,
    Resources: [qualifiedArn, destination],
    Detail: record,
  });
}

/** The record that destinations get. */
function invocationRecord(event: AsyncEvent, condition: AsyncOutcome, functionArn: string, now: number): string {
  const result = resultOf(event);
  const isError = result?.functionError !== undefined;
  return JSON.stringify({
    version: '1.0',
    timestamp: new Date(now).toISOString(),
    requestContext: {
      requestId: event.requestId,
      functionArn,
      condition,
      approximateInvokeCount: event.failures + (condition === 'Success' ? 1 : 0),
    },
    requestPayload: JSON.parse(event.payload),
    ...(result && {
      responseContext: {
        statusCode: 200,
        executedVersion: result.executedVersion,
        ...(isError && { functionError: result.functionError }),
      },
      responsePayload: JSON.parse(result.payload),
    }),
  });
}

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq */
function deadLetterAttributes(event: AsyncEvent): Record<string, MessageAttribute> {
  const result = resultOf(event);
  const message = result ? String(JSON.parse(result.payload)?.errorMessage ?? '') : 'The event is too old';
  const text = Buffer.from(message)
    .subarray(0, ERROR_MESSAGE_BYTES)
    .toString()
    .replace(/\uFFFD$/, '');
  return {
    RequestID: textAttribute(event.requestId),
    // The status of the invocation: the function was reached, and failed.
    ErrorCode: { DataType: 'Number', StringValue: result ? '200' : '429' },
    // SQS takes no attribute without a value.
    ErrorMessage: textAttribute(text === '' ? 'null' : text),
  };
}

function resultOf({ lastResult }: AsyncEvent): VersionedResult | undefined {
  return lastResult === undefined ? undefined : (JSON.parse(lastResult) as VersionedResult);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
