import { randomUUID } from 'node:crypto';
import { paginateScan } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { envelopeText, eventually, sampleEvent } from '@millrace/testing';
import { ProbeApplied } from '../fixtures/probe/events/index.ts';
import { Aws } from './aws.ts';
import { Operator } from './operator.ts';
import { type System, startSystem } from './system.ts';

const LETTERS = 5000;
const KILLS = 3;
const queue = 'millrace-probe-dev-on-probe-applied-dlq';

let system: System;
let aws: Aws;
let operator: Operator;

beforeAll(async () => {
  system = await startSystem();
  aws = new Aws(system);
  operator = new Operator(system);
}, 90_000);
afterAll(() => system?.stop());

/** The number of effects of each probe of a group. */
async function effectsOf(group: string): Promise<number[]> {
  const effects: number[] = [];
  const scan = {
    TableName: 'millrace-probe-dev',
    FilterExpression: '#group = :group',
    ExpressionAttributeNames: { '#group': 'group' },
    ExpressionAttributeValues: { ':group': group },
  };
  for await (const { Items = [] } of paginateScan({ client: aws.dynamodb }, scan)) {
    effects.push(...Items.map((item) => Number(item.effects)));
  }
  return effects;
}

test(`${LETTERS} dead letters all come back and have their effect once, although the command is killed ${KILLS} times`, async () => {
  const group = randomUUID();
  const bodies = Array.from({ length: LETTERS }, () =>
    envelopeText(sampleEvent(ProbeApplied, { probeId: randomUUID(), group })),
  );
  const queueUrl = await aws.queueUrl('probe', 'on-probe-applied-dlq');
  await aws.sendAll(queueUrl, bodies);

  for (let kill = 1; kill <= KILLS; kill += 1) {
    const before = await aws.depth(queueUrl);
    // Somewhere in the next fifth of the letters, wherever the command is then.
    const enough = before - Math.ceil(Math.random() * (LETTERS / 5));
    const { child, ended } = operator.startRedrive('redrive', queue);
    await eventually(async () => expect(await aws.depth(queueUrl)).toBeLessThan(enough), {
      deadlineMs: 60_000,
      intervalMs: 5,
    });
    child.kill('SIGKILL');
    expect(await ended).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
    expect(await aws.depth(queueUrl)).toBeGreaterThan(0);
  }

  // What a killed run held comes back after its visibility timeout; a run that says it is done has to be right.
  await eventually(
    async () => {
      const { exitCode, stderr } = await operator.redrive('redrive', queue);
      const left = await aws.depth(queueUrl);
      expect(exitCode).toBe(left > 0 ? 1 : 0);
      if (left > 0) throw new Error(`${left} letters are left: ${stderr}`);
    },
    { deadlineMs: 120_000, intervalMs: 1000 },
  );
  await aws.quiet(120_000);

  const effects = await effectsOf(group);
  expect(effects).toHaveLength(LETTERS);
  expect(effects.filter((count) => count !== 1)).toEqual([]);
  expect(await operator.inspect(queue)).toEqual([]);
}, 300_000);
