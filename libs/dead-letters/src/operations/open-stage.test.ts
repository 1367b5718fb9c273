import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { UsageError } from '@millrace/command-line';
import { type LocalSqs, startLocalSqs } from '../../fixtures/local-sqs.ts';
import { createClients } from './clients.ts';
import { openStage } from './open-stage.ts';

let sqs: LocalSqs;
beforeAll(async () => {
  sqs = await startLocalSqs();
  await sqs.createConsumerQueues('millrace-inventory-dev-on-order-placed');
});
afterAll(() => sqs.stop());

/** As for AWS: the clients have an endpoint, and the command was given none. */
function onAws(stage: string) {
  const said: string[] = [];
  const opened = openStage(stage, undefined, (line) => said.push(line), {
    clients: createClients(sqs.endpoint, { AWS_REGION: 'eu-central-1' }),
    readAccount: async () => '123456789012',
  });
  return { said, opened };
}

describe('a stage', () => {
  test('on AWS is named with its region and account', async () => {
    const { said, opened } = onAws('dev');
    const { target, queues } = await opened;
    expect(said).toEqual(['Asking stage dev in eu-central-1, account 123456789012']);
    expect(target).toBe('stage dev in eu-central-1, account 123456789012');
    expect(queues.deadLetterQueues).toHaveLength(1);
  });

  test('of an emulator is named with its endpoint', async () => {
    const said: string[] = [];
    await openStage('dev', sqs.endpoint, (line) => said.push(line));
    expect(said).toEqual([`Asking stage dev at ${sqs.endpoint}`]);
  });

  test('without a queue is refused, and it is said where that was', async () => {
    const { said, opened } = onAws('prod');
    await expect(opened).rejects.toThrow(
      new UsageError(
        'There are no queues of stage prod in eu-central-1, account 123456789012. Check --stage, AWS_REGION and the credentials, or deploy the stage',
      ),
    );
    expect(said).toHaveLength(1);
  });
});
