import { randomUUID } from 'node:crypto';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { StageQueues } from '@millrace/dead-letters/operations';
import { commit, outboxRow, relay } from '@millrace/event-store';
import { InMemoryEmitter, parseEnvelope } from '@millrace/events';
import { OrderPlaced } from '@millrace/orders/events';
import { envelopeText, sampleEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { type CatalogueEntry, findWorkspaceRoot, readCatalogue } from '@millrace/workspace/catalogue';
import { type LocalSqs, startLocalSqs } from '../../../dead-letters/fixtures/local-sqs.ts';
import { createLogTable } from '../../fixtures/test-table.ts';
import { EventLog } from '../event-log.ts';
import { openSweep, relayRepair } from './relay-of-service.ts';
import { sweep } from './sweep.ts';

const MINUTE = 60_000;
const relayLetters = 'millrace-orders-dev-relay-dlq';
const logLetters = 'millrace-event-log-dev-on-event-dlq';
const parking = 'millrace-re-emitter-dev-parking';

let dynamoDb: TestDynamoDb;
let sqs: LocalSqs;
let catalogue: readonly CatalogueEntry[];
let log: EventLog;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  sqs = await startLocalSqs();
  await dynamoDb.createTable('millrace-orders-dev');
  await createLogTable(dynamoDb.client, 'millrace-event-log-dev');
  for (const name of [relayLetters, logLetters, parking]) await sqs.createQueue(name);
  log = new EventLog(documentClient(), 'millrace-event-log-dev');
  catalogue = await readCatalogue(findWorkspaceRoot(import.meta.dirname));
});
afterAll(async () => {
  await sqs.stop();
  await dynamoDb.stop();
});

const emitter = new InMemoryEmitter();
const emittedIds = () => emitter.emitted.map(({ event }) => (event as { metadata: { id: string } }).metadata.id);

/** Lambda, with the relay of orders and the configuration of the log's consumer. */
function lambda(retentionDays = '7'): Pick<LambdaClient, 'send'> {
  const handler = relay([], { bus: emitter });
  return {
    send: async (command: { constructor: { name: string }; input: object }) => {
      if (command.constructor.name === 'GetFunctionConfigurationCommand') {
        return { Environment: { Variables: { MILLRACE_RETENTION_DAYS: retentionDays } } };
      }
      const { FunctionName, Payload } = command.input as { FunctionName: string; Payload: string };
      expect(FunctionName).toBe('millrace-orders-dev-relay');
      const text = JSON.stringify(await handler(JSON.parse(Payload)));
      return { Payload: { transformToString: () => text } };
    },
  } as Pick<LambdaClient, 'send'>;
}

const stageOf = async () => ({
  sqs: sqs.client,
  lambda: lambda(),
  queues: await StageQueues.load(sqs.client, 'dev'),
  endpoint: undefined,
});

/** Stores an order's event, an hour ago. */
async function store() {
  const time = new Date(Date.now() - 60 * MINUTE);
  const event = sampleEvent(OrderPlaced, undefined, { id: randomUUID(), subject: randomUUID(), time });
  await commit(documentClient(), [
    outboxRow('millrace-orders-dev', `ORDER#${event.event.metadata.subject}`, event, time),
  ]);
  return event;
}
const idOf = ({ event }: Awaited<ReturnType<typeof store>>) => event.metadata.id;

async function run() {
  const startedAt = new Date();
  const sources = await openSweep(await stageOf(), 'orders', catalogue, { startedAt });
  const from = new Date(Date.now() - 24 * 60 * MINUTE);
  return sweep({ ...sources, windows: [{ from, to: startedAt }], grace: 5 * MINUTE, now: startedAt });
}

describe('a sweep of a service', () => {
  test('emits what neither the log nor a dead letter has', async () => {
    const [logged, atLog, refused, parked, missing] = [
      await store(),
      await store(),
      await store(),
      await store(),
      await store(),
    ];
    await log.record(OrderPlaced.parse(parseEnvelope(envelopeText(logged))), { retentionDays: 7 });
    const reason = { ErrorCode: 'X', ErrorMessage: 'Why' };
    await sqs.send(logLetters, [{ body: envelopeText(atLog), attributes: reason }]);
    await sqs.send(relayLetters, [{ body: envelopeText(refused), attributes: reason }]);
    await sqs.send(parking, [{ body: envelopeText(parked), attributes: { ...reason, ParkedFrom: relayLetters } }]);

    expect(await run()).toMatchObject({ stored: 5, known: 2, dead: 2, missing: 1, emitted: 1, failed: 0 });
    expect(emittedIds()).toEqual([idOf(missing)]);
  });

  test('finds the letters where they were', async () => {
    for (const queue of [logLetters, relayLetters, parking]) {
      const { ready, held } = await sqs.contents(queue);
      expect([ready.length, held.length]).toEqual([1, 0]);
    }
  });
});

test('redriving reads a row of the table, and sweeps windows that the log need not know of', async () => {
  const event = await store();
  const repair = relayRepair(await stageOf(), 'orders', catalogue, () => new Date());
  const place = {
    table: 'millrace-orders-dev',
    pk: `ORDER#${event.event.metadata.subject}`,
    sk: `OUTBOX#${idOf(event)}`,
  };
  expect(await repair.recordAt({ ...place, table: 'millrace-payments-dev' })).toBeUndefined();
  const record = await repair.recordAt(place);
  expect(record && (await repair.emit([record]))).toEqual([{ eventId: record?.eventID, outcome: 'emitted' }]);
  expect(emittedIds()).toContain(idOf(event));

  const windows = [{ from: new Date(Date.now() - 61 * MINUTE), to: new Date(Date.now() - 59 * MINUTE) }];
  const { inWindow, problem } = await repair.sweep(windows, { dryRun: true, dead: new Set() });
  expect(problem).toBeUndefined();
  expect(inWindow).toEqual([6]);
});

test('a stage without the log is misused', async () => {
  const missing = Object.assign(new Error('no'), { name: 'ResourceNotFoundException' });
  const stage = { ...(await stageOf()), lambda: { send: async () => Promise.reject(missing) } as never };

  await expect(openSweep(stage, 'orders', catalogue, { startedAt: new Date() })).rejects.toThrow(
    'There is no function millrace-event-log-dev-onEvent: deploy services/event-log',
  );
});
