import { chunks } from '../../core/chunks.ts';
import type { Clock } from '../../core/clock.ts';
import type { Host } from '../../core/service.ts';
import type { Invoke } from '../lambda/event-source-mapping.ts';
import { callsOf, type PipeCalls } from './calls.ts';
import { compileInputTemplate, enrichedEvent, type PipeEvent, sourceEvent } from './input-template.ts';
import type { Pipe } from './pipe.ts';
import { batchLimitOf, failedIds, httpParametersOf, isApiDestination, sendToTarget } from './target.ts';

type SourceRecord = Readonly<Record<string, unknown>>;

export const PIPES_METRICS = [
  ...['Invocations', 'EventCount', 'ExecutionFailed', 'ExecutionPartiallyFailed', 'ExecutionTimeout'],
];

/**
 * What enrichment and target may take together, in ms.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html#pipes-concurrency
 */
const EXECUTION_LIMIT_MS = 300_000;

/**
 * Makes what handles the batches of a pipe: it enriches the events, hands them to the target, and tells the reader of the source which
 * of them failed, as a function with ReportBatchItemFailures does.
 * @throws Error for an InputTemplate that is not valid
 */
export function runnerOf(pipe: Pipe, host: Host): Invoke {
  const calls = callsOf(pipe, host);
  const now = () => host.clock.now();
  const enrichmentInput = compileInputTemplate(pipe.EnrichmentParameters?.InputTemplate, pipe, now);
  const targetInput = compileInputTemplate(pipe.TargetParameters?.InputTemplate, pipe, now);
  const queueUrlOf = (arn: string) => `${host.awsUrl}/${arn.split(':').slice(4).join('/')}`;
  const report = (name: string, value: number): void =>
    host.metric({ namespace: 'AWS/EventBridge/Pipes', name, value, dimensions: { PipeName: pipe.Name } });

  const run = async (records: readonly SourceRecord[]): Promise<ReadonlySet<string> | 'all'> => {
    const ids = records.map(eventId);
    const given = records.map(sourceEvent);
    const events = pipe.Enrichment ? await enrich(given, pipe, calls, enrichmentInput) : given;
    if (events.length === 0) return new Set();
    const limit = batchLimitOf(pipe.Target) ?? Number.POSITIVE_INFINITY;
    if (events.length > limit)
      throw new Error(`The enrichment gave ${events.length} events, the target takes ${limit}`);
    const inputs = events.map((event) => ({ event, payload: targetInput(event) }));
    const failures = await sendToTarget(inputs, { ...pipe, calls, queueUrlOf, now });
    if ('answer' in failures) return failedIds(failures.answer, ids);
    const failed = failures.positions.map((position) => (pipe.Enrichment ? idIn(events[position]) : ids[position]));
    // An event of the enrichment that does not carry its id could be of any record.
    return failed.some((id) => id === undefined || !ids.includes(id)) ? 'all' : new Set(failed as string[]);
  };

  return async (payload) => {
    const { Records } = JSON.parse(payload) as { Records: SourceRecord[] };
    report('Invocations', 1);
    report('EventCount', Records.length);
    // The filter has left out what is free. What comes again is charged again.
    for (const record of Records) {
      host.usage?.add('pipes.requests', pipe.Name, chunks(Buffer.byteLength(JSON.stringify(record)), 64));
    }
    const failed = await withinLimit(host.clock, run(Records)).catch((error: Error) => {
      host.warn(`Pipe ${pipe.Name} failed: ${error.message}`);
      if (error instanceof ExecutionTimeoutError) report('ExecutionTimeout', 1);
      return 'all' as const;
    });
    if (failed === 'all') report('ExecutionFailed', 1);
    else if (failed.size > 0) report('ExecutionPartiallyFailed', 1);
    const base = { requestId: '', logTail: '' };
    if (failed === 'all') return { ...base, payload: '', functionError: 'Unhandled' };
    const failedRecords = Records.filter((record) => failed.has(eventId(record) ?? ''));
    const batchItemFailures = failedRecords.map((record) => ({ itemIdentifier: readerId(record) }));
    return { ...base, payload: JSON.stringify({ batchItemFailures }) };
  };
}

/**
 * Asks the enrichment. An empty answer means that the target gets nothing.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-enrichment.html
 */
async function enrich(
  given: readonly PipeEvent[],
  { Enrichment = '', EnrichmentParameters }: Pipe,
  calls: PipeCalls,
  input: (event: PipeEvent) => string,
): Promise<PipeEvent[]> {
  if (!isApiDestination(Enrichment)) {
    return eventsIn(await calls.ask(Enrichment, `[${given.map(input).join(',')}]`));
  }
  const answers: PipeEvent[] = [];
  for (const event of given) {
    const http = httpParametersOf(EnrichmentParameters?.HttpParameters, event);
    answers.push(...eventsIn(await calls.ask(Enrichment, input(event), http)));
  }
  return answers;
}

function eventsIn(answer: string): PipeEvent[] {
  let value: unknown;
  try {
    value = JSON.parse(answer);
  } catch {
    return answer === '' ? [] : [enrichedEvent(answer)];
  }
  const isEmpty = value === '' || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
  if (isEmpty) return [];
  return (Array.isArray(value) ? value : [value]).map((item) =>
    enrichedEvent(typeof item === 'string' ? item : JSON.stringify(item)),
  );
}

/**
 * How targets name an event: by `messageId` of SQS, and by `eventID` of a stream.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html#pipes-partial-batch-failure
 */
function eventId({ messageId, eventID }: SourceRecord): string | undefined {
  const id = messageId ?? eventID;
  return id === undefined ? undefined : String(id);
}

function idIn(event: PipeEvent | undefined): string | undefined {
  try {
    return eventId(JSON.parse(event?.text ?? 'null') ?? {});
  } catch {
    return undefined;
  }
}

/** How the reader of the source names a record: streams by their sequence number. */
function readerId(record: SourceRecord): unknown {
  const { SequenceNumber } = (record.dynamodb ?? {}) as { SequenceNumber?: string };
  return SequenceNumber ?? record.sequenceNumber ?? record.messageId;
}

class ExecutionTimeoutError extends Error {}

/** @throws ExecutionTimeoutError when it takes too long. It is not ended: what it has called goes on, as on AWS. */
async function withinLimit<Result>(clock: Clock, execution: Promise<Result>): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = clock.setTimer(clock.now() + EXECUTION_LIMIT_MS, () =>
    reject(new ExecutionTimeoutError(`it took longer than ${EXECUTION_LIMIT_MS / 1000} seconds`)),
  );
  try {
    return await Promise.race([execution, late]);
  } finally {
    timer.cancel();
  }
}
