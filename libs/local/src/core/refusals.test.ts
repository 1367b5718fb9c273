import { expect, test } from '@jest/globals';
import type { Caller } from '@millrace/iam-policy';
import { Refusals } from './refusals.ts';

const busArn = 'arn:aws:events:us-east-1:000000000000:event-bus/shop';
const relay = { functionName: 'millrace-shop-dev-relay' } as Caller;

test('a function that may not put an event is told to list it under emits, once for each event', () => {
  const warnings: string[] = [];
  const refusals = new Refusals((line) => warnings.push(line));
  const put = (detailType: string) =>
    refusals.add(
      relay,
      { action: 'events:PutEvents', resource: busArn, context: new Map([['events:detail-type', [detailType]]]) },
      'as AWS says it',
      'not allowed',
    );

  for (const detailType of ['OrderPlaced.v1', 'OrderPlaced.v1', 'OrderClosed.v1', 'Ada Example']) put(detailType);

  const remedy = 'list the event under emits of that function in serverless.yml';
  expect(warnings).toEqual(
    ['OrderPlaced.v1', 'OrderClosed.v1', '(no identifier)'].map(
      (event) => `millrace-shop-dev-relay may not events:PutEvents ${event} on ${busArn}: ${remedy}`,
    ),
  );
  expect(refusals.list().map(({ times }) => times)).toEqual([2, 1, 1]);
});
