import { randomUUID } from 'node:crypto';
import { paginateScan } from '@aws-sdk/lib-dynamodb';
import { envelopeText, eventually, sampleEvent } from '@millrace/testing';
import { ProbeApplied } from '../fixtures/probe/events/index.ts';
import { Aws } from './aws.ts';
import { Operator } from './operator.ts';
import type { System } from './system.ts';

/**
 * Fills the probe's dead-letter queue, redrives it with the command line, which is killed at random points on the way, and
 * runs the command until it says that nothing is left.
 * @returns how often each letter has had its effect, one number for each letter that had any
 * @throws Error when the command says something else than what is in the queue, or letters stay there
 */
export async function redriveUnderFire(system: System, letters: number, kills: number): Promise<number[]> {
  const aws = new Aws(system);
  const operator = new Operator(system);
  const queue = 'millrace-probe-dev-on-probe-applied-dlq';
  const queueUrl = await aws.queueUrl('probe', 'on-probe-applied-dlq');
  const group = randomUUID();
  const bodies = Array.from({ length: letters }, () =>
    envelopeText(sampleEvent(ProbeApplied, { probeId: randomUUID(), group })),
  );
  await aws.sendAll(queueUrl, bodies);

  for (let kill = 1; kill <= kills; kill += 1) {
    const before = await aws.depth(queueUrl);
    // Somewhere in the next part of the letters, wherever the command is then; some are left for the last run.
    const enough = before - Math.ceil(Math.random() * (letters / (kills + 2)));
    const { child, ended } = operator.startRedrive('redrive', queue);
    await eventually(
      async () => {
        const depth = await aws.depth(queueUrl);
        if (depth >= enough)
          throw new Error(`${depth} letters are there still, and the command is to be killed at ${enough}`);
      },
      { intervalMs: 5 },
    );
    child.kill('SIGKILL');
    const { signal } = await ended;
    if (signal !== 'SIGKILL') throw new Error('The command had ended before it was killed');
    if ((await aws.depth(queueUrl)) === 0) throw new Error('The command was killed when all was done');
  }

  // What a killed run held comes back after its visibility timeout; a run that says it is done has to be right.
  await eventually(
    async () => {
      const { exitCode, stderr } = await operator.redrive('redrive', queue);
      const left = await aws.depth(queueUrl);
      if (exitCode !== (left > 0 ? 1 : 0)) throw new Error(`It exits with ${exitCode}, and ${left} letters are left`);
      if (left > 0) throw new Error(`${left} letters are left: ${stderr}`);
    },
    { intervalMs: 1000 },
  );
  await aws.quiet();
  const left = await operator.inspect(queue);
  if (left.length > 0) throw new Error(`${left.length} letters are in the queue again`);

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
