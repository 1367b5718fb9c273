import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalSqs, startLocalSqs } from '../../fixtures/local-sqs.ts';
import { StageQueues } from './stage-queues.ts';

let sqs: LocalSqs;
let queues: StageQueues;
beforeAll(async () => {
  sqs = await startLocalSqs();
  await sqs.createConsumerQueues('millrace-inventory-dev-on-order-placed');
  await sqs.createQueue('millrace-inventory-dev-on-order-placed-rule-dlq');
  await sqs.createConsumerQueues('millrace-orders-dev-on-order-progress', true);
  await sqs.createQueue('millrace-orders-dev-on-order-progress-rule-dlq');
  await sqs.createQueue('millrace-orders-dev-relay-dlq');
  await sqs.createQueue('millrace-re-emitter-dev-parking');
  await sqs.createConsumerQueues('millrace-inventory-staging-on-order-placed');
  await sqs.createConsumerQueues('somebody-elses-dev-queue');
  queues = await StageQueues.load(sqs.client, 'dev');
});
afterAll(() => sqs.stop());

describe('the queues of a stage', () => {
  test('are the dead-letter queues of its services, and the parking queue', () => {
    expect(queues.deadLetterQueues.map(({ name }) => name)).toEqual([
      'millrace-inventory-dev-on-order-placed-dlq',
      'millrace-inventory-dev-on-order-placed-rule-dlq',
      'millrace-orders-dev-on-order-progress-dlq.fifo',
      'millrace-orders-dev-on-order-progress-rule-dlq',
      'millrace-orders-dev-relay-dlq',
      'millrace-re-emitter-dev-parking',
    ]);
  });

  test('know by the redrive policy where letters come from', () => {
    const sources = queues.sourcesOf(queues.find('millrace-orders-dev-on-order-progress-dlq.fifo'));
    expect(sources.map(({ name, fifo }) => [name, fifo])).toEqual([
      ['millrace-orders-dev-on-order-progress.fifo', true],
    ]);
  });

  test.each([
    ['millrace-inventory-dev-on-order-placed-dlq', 'millrace-inventory-dev-on-order-placed-dlq'],
    ['inventory-dev-on-order-placed-dlq', 'millrace-inventory-dev-on-order-placed-dlq'],
    ['millrace-inventory-dev-on-order-placed', 'millrace-inventory-dev-on-order-placed-dlq'],
    ['inventory-dev-on-order-placed', 'millrace-inventory-dev-on-order-placed-dlq'],
    ['inventory.onOrderPlaced', 'millrace-inventory-dev-on-order-placed-dlq'],
    ['orders.onOrderProgress', 'millrace-orders-dev-on-order-progress-dlq.fifo'],
    ['onOrderPlaced', 'millrace-inventory-dev-on-order-placed-dlq'],
    ['on-order-placed-rule', 'millrace-inventory-dev-on-order-placed-rule-dlq'],
    ['relay', 'millrace-orders-dev-relay-dlq'],
    ['parking', 'millrace-re-emitter-dev-parking'],
  ])('%s is %s', (text, name) => {
    expect(queues.find(text).name).toBe(name);
  });

  test.each([
    ['onOrder', /"onOrder" may be any of millrace-inventory-dev-on-order-placed-dlq, .*on-order-progress/],
    [
      'inventory.onOrderPlacd',
      /no dead-letter queue "inventory.onOrderPlacd"; did you mean millrace-inventory-dev-on-order-placed-dlq or/,
    ],
    ['', /no dead-letter queue ""/],
  ])('"%s" names what may have been meant', (text, message) => {
    expect(() => queues.find(text)).toThrow(message);
  });

  test('a stage without queues says so', async () => {
    const none = await StageQueues.load(sqs.client, 'prod');
    expect(() => none.find('orders.onOrderProgress')).toThrow('Stage prod has no dead-letter queues');
    expect(() => none.parkingQueue).toThrow('deploy services/re-emitter');
  });
});
