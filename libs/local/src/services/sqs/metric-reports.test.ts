import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SqsUnderTest } from '../../../fixtures/sqs/sqs-under-test.ts';
import { reportQueueMetrics } from './metric-reports.ts';

let sqs: SqsUnderTest;
let reported: string[];
let stop: () => void;

beforeEach(() => {
  sqs = new SqsUnderTest();
  reported = [];
  stop = reportQueueMetrics(sqs.sqs.queues, {
    clock: sqs.clock,
    metric: ({ namespace, name, value, dimensions, unit }) => {
      if (value > 0) reported.push(`${namespace} ${dimensions.QueueName} ${name} ${value} ${unit}`);
      else reported.push(`${dimensions.QueueName} 0`);
    },
  });
});
afterEach(async () => {
  stop();
  await sqs[Symbol.asyncDispose]();
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
test('metrics are reported once a minute, counters as what came since', async () => {
  const url = await sqs.create('q');
  await sqs.send(url, 'a');
  await sqs.send(url, 'b');
  await sqs.clock.seconds(60);
  expect(reported.filter((line) => line.startsWith('AWS'))).toEqual([
    'AWS/SQS q ApproximateNumberOfMessagesVisible 2 Count',
    'AWS/SQS q ApproximateAgeOfOldestMessage 60 Seconds',
    'AWS/SQS q NumberOfMessagesSent 2 Count',
  ]);
  reported = [];
  for (const message of await sqs.receive(url, { MaxNumberOfMessages: 10 })) await sqs.delete(url, message);
  await sqs.clock.seconds(60);
  expect(reported.filter((line) => line.startsWith('AWS'))).toEqual([
    'AWS/SQS q NumberOfMessagesReceived 2 Count',
    'AWS/SQS q NumberOfMessagesDeleted 2 Count',
  ]);
});

test('nothing of a queue that has not been used for two minutes', async () => {
  const url = await sqs.create('q');
  await sqs.clock.seconds(60);
  expect(reported).toEqual([]);
  const [message] = await sqs.send(url, 'a').then(() => sqs.receive(url));
  if (message) await sqs.delete(url, message);
  await sqs.clock.seconds(120);
  expect(reported.at(-1)).toBe('q 0');
  const { length } = reported;
  await sqs.clock.seconds(600);
  expect(reported.length).toBe(length);
});
