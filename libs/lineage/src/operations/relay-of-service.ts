import { GetFunctionConfigurationCommand, InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { UsageError } from '@millrace/command-line';
import {
  depthOf,
  inspect,
  operatorDocumentClient,
  type RelayRepair,
  type StageQueues,
} from '@millrace/dead-letters/operations';
import { type RelayOutcome, type RelayResponse, StoredOutbox } from '@millrace/event-store';
import type { CatalogueEntry } from '@millrace/workspace/catalogue';
import type { DynamoDBRecord } from 'aws-lambda';
import { EventLog } from '../event-log.ts';
import { type SweepOptions, sweep } from './sweep.ts';

/** Whose consumer writes the log. */
const LOG = 'event-log';
const MS_PER_DAY = 24 * 60 * 60 * 1_000;

/** An open stage, as `openStage` returns it, and where it is. */
export interface SweptStage {
  sqs: Pick<SQSClient, 'send'>;
  lambda: Pick<LambdaClient, 'send'>;
  queues: StageQueues;
  /** Of the local runtime, otherwise AWS. */
  endpoint: string | undefined;
}

/** What a sweep of one service works with, and what it depends on. */
export interface SweepSources extends Pick<SweepOptions, 'outbox' | 'knownOf' | 'dead' | 'isKept' | 'emit'> {
  /** Events in the queue of the log: emitted, and not in the log yet. Approximately. */
  waiting: number;
}

/**
 * Opens what a sweep of one service needs, with an operator's credentials: its table, its relay, the event log, and the
 * letters of both.
 *
 * @param service e.g. `orders`
 * @param catalogue of the repository: which events the log consumes
 * @throws UsageError when the stage has no such service, or no event log
 */
export async function openSweep(
  { sqs, lambda, queues, endpoint }: SweptStage,
  service: string,
  catalogue: readonly CatalogueEntry[],
  { startedAt, signal }: { startedAt: Date; signal?: AbortSignal },
): Promise<SweepSources> {
  const { stage } = queues;
  const dynamoDb = operatorDocumentClient(endpoint);
  const log = new EventLog(dynamoDb, `millrace-${LOG}-${stage}`);
  const retention = await retentionOf(lambda, `millrace-${LOG}-${stage}-onEvent`);
  const logged = new Set(
    catalogue
      .filter(({ consumers }) => consumers.some((consumer) => consumer.service === LOG))
      .map(({ detailType }) => detailType),
  );

  const idsIn = async (...names: string[]): Promise<Set<string>> => {
    const ids = new Set<string>();
    for (const name of names) {
      const queue = queues.byName(name);
      if (!queue || depthOf(queue) === 0) continue;
      await inspect(sqs, queue, { select: () => true, startedAt, ...(signal && { signal }) }, ({ event }) => {
        if (event) ids.add(event.id);
      });
    }
    return ids;
  };
  const parked = await parkedIds(sqs, queues, { startedAt, ...(signal && { signal }) });
  const logQueue = `millrace-${LOG}-${stage}-on-event`;
  // What the log could not take was emitted nevertheless.
  const logLetters = [`${logQueue}-dlq`, `${logQueue}-rule-dlq`];
  const inLogLetters = new Set([
    ...(await idsIn(...logLetters)),
    ...logLetters.flatMap((name) => parked.get(name) ?? []),
  ]);
  const relayLetters = `millrace-${service}-${stage}-relay-dlq`;
  const waiting = queues.byName(logQueue);
  return {
    outbox: new StoredOutbox(dynamoDb, `millrace-${service}-${stage}`),
    knownOf: async (ids) => {
      const known = await log.known(ids);
      return new Set([...known, ...ids.filter((id) => inLogLetters.has(id))]);
    },
    dead: new Set([...(await idsIn(relayLetters)), ...(parked.get(relayLetters) ?? [])]),
    isKept: ({ detailType, timestamp, ttl }, now) =>
      logged.has(detailType) &&
      (ttl === undefined ? timestamp.getTime() + retention * MS_PER_DAY : ttl * 1_000) > now.getTime(),
    emit: relayInvoker(lambda, relayNameOf(service, stage)),
    waiting: waiting ? depthOf(waiting) : 0,
  };
}

/**
 * What redriving the letters of a service's relay needs. The event log is asked only when a letter needs a sweep.
 *
 * @param now the time by SQS's clock
 * @example
 * await redriveRelay(operation, relayRepair(stage, 'orders', catalogue, stage.now));
 */
export function relayRepair(
  stage: SweptStage,
  service: string,
  catalogue: readonly CatalogueEntry[],
  now: () => Date,
  { segments = 1, signal }: { segments?: number; signal?: AbortSignal } = {},
): RelayRepair {
  const tableName = `millrace-${service}-${stage.queues.stage}`;
  const outbox = new StoredOutbox(operatorDocumentClient(stage.endpoint), tableName);
  return {
    emit: relayInvoker(stage.lambda, relayNameOf(service, stage.queues.stage)),
    recordAt: async (place) => (place.table === tableName ? (await outbox.row(place))?.record : undefined),
    sweep: async (windows, { dryRun, dead }) => {
      const startedAt = now();
      const sources = await openSweep(stage, service, catalogue, { startedAt, ...(signal && { signal }) });
      const { inWindow, missing, untold, problem, interrupted } = await sweep({
        ...sources,
        dead: new Set([...sources.dead, ...dead]),
        windows,
        // Lambda has given these records up: no relay has them under way.
        grace: 0,
        // That the log cannot tell of an event does not matter: the letter does.
        emitUntold: true,
        now: startedAt,
        dryRun,
        segments,
        ...(signal && { signal }),
      });
      const why = problem ?? (interrupted ? 'the sweep of its time was interrupted' : undefined);
      return { inWindow, missing: missing + untold, ...(why !== undefined && { problem: why }) };
    },
  };
}

/** The function that emits a service's events. */
export function relayNameOf(service: string, stage: string): string {
  return `millrace-${service}-${stage}-relay`;
}

/**
 * Has a relay emit rows, by calling it as its stream does. So the events come from their owner, whom the bus's policy lets.
 *
 * @returns a function that gets records and answers what became of each
 * @throws from that function, Error when the relay does not answer
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export function relayInvoker(
  lambda: Pick<LambdaClient, 'send'>,
  functionName: string,
): (records: readonly DynamoDBRecord[]) => Promise<readonly RelayOutcome[]> {
  return async (Records) => {
    const answer = await lambda.send(
      new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify({ Records, report: true }) }),
    );
    const payload = answer.Payload?.transformToString() ?? '';
    if (answer.FunctionError) throw new Error(`${functionName} ended with ${answer.FunctionError}: ${payload}`);
    const { outcomes } = JSON.parse(payload) as RelayResponse;
    if (!outcomes) throw new Error(`${functionName} does not say what became of the events: deploy its service again`);
    return outcomes;
  };
}

/** The ids of parked events, by the dead-letter queue that they were parked from; those that were replaced are among them. */
async function parkedIds(
  sqs: Pick<SQSClient, 'send'>,
  queues: StageQueues,
  options: { startedAt: Date; signal?: AbortSignal },
): Promise<ReadonlyMap<string, string[]>> {
  const ids = new Map<string, string[]>();
  const queue = queues.byName(queues.parkingQueueName);
  if (!queue || depthOf(queue) === 0) return ids;
  await inspect(sqs, queue, { ...options, select: () => true }, ({ event, attributes: { ParkedFrom = '' } }) => {
    if (event) ids.set(ParkedFrom, [...(ids.get(ParkedFrom) ?? []), event.id]);
  });
  return ids;
}

/** For how many days the log keeps an event, as it is deployed. @throws UsageError when the stage has no log */
async function retentionOf(lambda: Pick<LambdaClient, 'send'>, functionName: string): Promise<number> {
  try {
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: functionName }));
    return Number(Environment?.Variables?.MILLRACE_RETENTION_DAYS ?? 0);
  } catch (error) {
    if ((error as Error).name !== 'ResourceNotFoundException') throw error;
    throw new UsageError(`There is no function ${functionName}: deploy services/event-log`);
  }
}
