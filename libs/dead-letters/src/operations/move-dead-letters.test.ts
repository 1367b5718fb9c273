import { expect, test } from '@jest/globals';
import { RecordingClient } from '@millrace/testing';
import { eventBody } from '../../fixtures/dead-events.ts';
import { Look } from './look.ts';
import { moveDeadLetters } from './move-dead-letters.ts';
import type { StageQueue } from './stage-queues.ts';

const queue: StageQueue = {
  name: 'millrace-test-dev-consumer-dlq.fifo',
  url: 'https://sqs/dead',
  arn: 'arn:aws:sqs:us-east-1:1:dead',
  fifo: true,
  visible: 4,
  inFlight: 0,
  delayed: 0,
};

test('of letters of a message group that are received together, none is sent after one that was refused', async () => {
  const message = (MessageId: string, MessageGroupId: string) => ({
    MessageId,
    ReceiptHandle: MessageId,
    Body: eventBody(MessageId),
    Attributes: { SentTimestamp: '0', MessageGroupId },
  });
  const received = [message('a1', 'a'), message('a2', 'a'), message('b1', 'b'), message('a3', 'a'), message('b2', 'b')];
  const sent: string[] = [];
  const client = new RecordingClient((name, input) => {
    if (name === 'ReceiveMessageCommand') return { Messages: received };
    const { Entries } = input as { Entries: { Id: string; MessageBody?: string }[] };
    if (name !== 'SendMessageBatchCommand') return { Successful: Entries };
    sent.push(...Entries.map(({ MessageBody = '' }) => JSON.parse(MessageBody).detail.metadata.id));
    const refused = Entries.filter(({ MessageBody = '' }) => MessageBody.includes('"a2"'));
    const Failed = refused.map(({ Id }) => ({ Id, Code: 'InvalidMessageContents', SenderFault: true }));
    return { Successful: Entries.filter((entry) => !refused.includes(entry)), Failed };
  });
  const look = new Look(client, queue, { startedAt: new Date() });
  const letters = (await look.next()) ?? [];
  const source = { name: 'source.fifo', url: 'https://sqs/source', fifo: true };
  const moves = letters.map((letter) => ({
    letter,
    destination: { queue: source, attributes: {}, messageGroupId: letter.messageGroupId },
  }));
  const outcomes = await moveDeadLetters(client, look, moves, 'redriven');
  await look.close();

  expect(sent).toEqual(['a1', 'a2', 'b1', 'b2']);
  const resultOf = new Map(outcomes.map(({ letter, result }) => [letter.messageId, result]));
  expect(Object.fromEntries(resultOf)).toEqual({ a1: 'done', a2: 'left', a3: 'left', b1: 'done', b2: 'done' });
});
