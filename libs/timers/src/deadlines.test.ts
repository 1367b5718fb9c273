import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { commit, type Table } from '@millrace/event-store';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { type Deadline, Deadlines, GRACE_MS, sweepOverdue } from './index.ts';

let dynamoDb: TestDynamoDb;
let table: Table;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('kitchen');
  table = { client: documentClient(), name: 'kitchen' };
});
afterAll(() => dynamoDb.stop());

const now = new Date('2026-01-15T12:00:00.000Z');
const cause = { correlationId: 'correlation-1' };
const deadlineOf = (overdueMs: number): Deadline => ({
  id: randomUUID(),
  deadline: new Date(now.getTime() - overdueMs).toISOString(),
  cause,
});

async function setUp(...all: Deadline[]) {
  const deadlines = new Deadlines(table, { name: `KETTLES-${randomUUID()}`, idAttribute: 'kettle' });
  for (const each of all) await commit(table.client, [deadlines.addition(each)]);
  const overdue = async (before: Date) => {
    const found: Deadline[] = [];
    for await (const page of deadlines.overdue(before)) found.push(...page);
    return found;
  };
  return { deadlines, overdue };
}
const ids = (all: readonly Deadline[]) => all.map(({ id }) => id).sort();

describe('deadlines', () => {
  test('are found from their time on, with their cause, until they are removed', async () => {
    const [late, later] = [deadlineOf(2), deadlineOf(1)];
    const { deadlines, overdue } = await setUp(late, later, deadlineOf(-1));
    expect(await overdue(new Date(late.deadline))).toEqual([]);
    expect(ids(await overdue(now))).toEqual(ids([late, later]));
    expect(await overdue(new Date(later.deadline))).toEqual([late]);
    await commit(table.client, [deadlines.removal(late)]);
    expect(await overdue(now)).toEqual([later]);
  });

  test('of more than a page are all found', async () => {
    const many = Array.from({ length: 130 }, (_, index) => ({
      ...deadlineOf(index + 1),
      id: 'k'.repeat(8) + String.fromCharCode(200 + index * 8),
    }));
    const { overdue } = await setUp(...many);
    expect(ids(await overdue(now))).toEqual(ids(many));
  });
});

describe('a sweep', () => {
  test('ends what no schedule has ended in its time, and goes on after a failure', async () => {
    const all = [
      deadlineOf(GRACE_MS + 1),
      deadlineOf(GRACE_MS + 2),
      deadlineOf(GRACE_MS + 3),
      deadlineOf(GRACE_MS - 1),
    ];
    const { deadlines } = await setUp(...all);
    const tried: string[] = [];
    const end = async ({ id }: Deadline) => {
      tried.push(id);
      if (id === all[0]?.id) throw new Error('busy');
      return id !== all[1]?.id;
    };
    const outcome = await sweepOverdue(deadlines, end, { now, isTimeLeft: () => true });
    expect(tried.sort()).toEqual(ids(all.slice(0, 3)));
    expect(outcome).toEqual({ ended: 1, failures: [{ id: all[0]?.id, error: new Error('busy') }] });
  });

  test('stops when its time is up', async () => {
    const { deadlines } = await setUp(deadlineOf(GRACE_MS + 1));
    expect(await sweepOverdue(deadlines, async () => true, { now, isTimeLeft: () => false })).toEqual({
      ended: 0,
      failures: [],
    });
  });
});
