import { expect, test } from '@jest/globals';
import { similarNames } from './index.ts';

test('the likest names come first, whatever stands between their letters', () => {
  const names = ['PaymentFailed.v1', 'OrderPlaced.v1', 'OrderCancelled.v1', 'StockReserved.v1'];
  expect(similarNames(names, 'order-placd', 2)).toEqual(['OrderPlaced.v1', 'OrderCancelled.v1']);
});
