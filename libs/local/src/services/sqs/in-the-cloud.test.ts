import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from '@jest/globals';
import { startCloud } from '../../../fixtures/cloud-under-test.ts';
import type { CloudOptions } from '../../core/cloud.ts';
import type { AwsService } from '../../core/service.ts';
import { sqs } from './index.ts';

const start = (options: Partial<CloudOptions>) => startCloud([sqs as AwsService], options);

test('a runtime with the option shuffle shuffles its queues', async () => {
  await using cloud = await start({ options: { services: [], apiPort: 0, awsPort: 0, shuffle: { seed: 1 } } });
  const { api } = cloud.host.handleOf(sqs);
  await api.call('CreateQueue', { QueueName: 'q' });
  const sent = Array.from({ length: 10 }, (_, number) => String(number));
  for (const MessageBody of sent) await api.call('SendMessage', { QueueUrl: 'q', MessageBody });
  const { Messages = [] } = await api.call('ReceiveMessage', { QueueUrl: 'q', MaxNumberOfMessages: 10 });
  const received = Messages.map(({ Body }) => Body);
  expect(received).not.toEqual(sent);
  expect(received.toSorted()).toEqual(sent);
});

describe('a data directory of an older version', () => {
  const warningsFor = async (fill: (database: DatabaseSync) => void): Promise<string[]> => {
    const dataDirectory = mkdtempSync(join(tmpdir(), 'sqs-'));
    try {
      mkdirSync(join(dataDirectory, 'fauxqs'));
      const database = new DatabaseSync(join(dataDirectory, 'fauxqs', 'fauxqs.db'));
      fill(database);
      database.close();
      const warnings: string[] = [];
      await using _cloud = await start({ dataDirectory, warn: (line) => warnings.push(line) });
      return warnings.map((line) => line.replace(dataDirectory, '…'));
    } finally {
      rmSync(dataDirectory, { recursive: true });
    }
  };

  test('is warned of when it has messages', async () => {
    const warnings = await warningsFor((database) => {
      database.exec("CREATE TABLE sqs_messages (body TEXT); INSERT INTO sqs_messages VALUES ('a'), ('b')");
    });
    expect(warnings).toEqual([expect.stringMatching(/^2 messages in …\/fauxqs\/fauxqs.db are of an older version/)]);
  });

  test('is not warned of when it has no messages', async () => {
    expect(await warningsFor((database) => database.exec('CREATE TABLE sqs_messages (body TEXT)'))).toEqual([]);
    expect(await warningsFor((database) => database.exec('CREATE TABLE sns_topics (arn TEXT)'))).toEqual([]);
  });
});
