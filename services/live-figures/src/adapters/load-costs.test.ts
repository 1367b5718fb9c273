import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { costsOf, dollarsOf, type LoadCosts } from '../../fixtures/load-model.ts';

const loads = [1, 10, 100, 200, 1_000];
const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

let dynamoDb: TestDynamoDb;
const measured = new Map<number, LoadCosts>();
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  for (const perSecond of loads) {
    await dynamoDb.createTable(`load-${perSecond}`);
    // Pages are as large at the end of two seconds as of ten.
    measured.set(
      perSecond,
      await costsOf(perSecond, { seconds: perSecond < 100 ? 10 : 2, tableName: `load-${perSecond}` }),
    );
  }
}, 60_000);
afterAll(() => dynamoDb.stop());

const at = (perSecond: number) => measured.get(perSecond) as LoadCosts;
/** `| 1,000 | 10 | 0.15 | 0.15 | $0.11 |` */
const rowOf = (perSecond: number) =>
  readme
    .split('\n')
    .find((line) => line.startsWith(`| ${perSecond.toLocaleString('en')} |`))
    ?.split('|')
    .slice(2, -1)
    .map((cell) => Number(cell.replace('$', '')));

describe('what DynamoDB charges for the figures of an event', () => {
  test.each(loads)('at %d events a second it is what README.md says', (perSecond) => {
    const { batch, writeUnits, readUnits } = at(perSecond);
    const actual = [batch, writeUnits, readUnits, dollarsOf(at(perSecond))];
    const said = rowOf(perSecond);
    expect(said).toHaveLength(actual.length);
    // Which of two containers is faster differs from run to run.
    actual.forEach((value, index) => {
      expect(Math.abs(value - (said?.[index] ?? Number.NaN))).toBeLessThanOrEqual(0.02 + value * 0.1);
    });
  });

  test('it is never more than two writes, and less than a row for each event where batches fill', () => {
    const row = dollarsOf({ writeUnits: 1, readUnits: 0 });
    for (const perSecond of loads) expect(at(perSecond).writeUnits).toBeLessThanOrEqual(2);
    expect(dollarsOf(at(1))).toBeLessThan(row * 1.05);
    expect(dollarsOf(at(10))).toBeLessThan(row * 1.05);
    expect(dollarsOf(at(200))).toBeLessThan(row);
    expect(dollarsOf(at(1_000))).toBeLessThan(row / 4);
  });
});
