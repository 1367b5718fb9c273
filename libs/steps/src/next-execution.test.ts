import { expect, test } from '@jest/globals';
import { nextExecution, type Resumed } from './index.ts';

test('an execution that has stopped is followed by one that knows how far it has come', () => {
  const input: Resumed & { order: string } = { order: 'order-1' };

  const first = nextExecution({ name: 'order-1', input, errorData: '{"at":"ConfirmOrder","trackingNumber":"MR1"}' });
  expect(first).toEqual({
    name: 'order-1-1',
    input: { order: 'order-1', resume: { at: 'ConfirmOrder', trackingNumber: 'MR1', count: 1 } },
  });

  // What the earlier one had left is not there any more.
  const second = nextExecution({ ...first, errorData: '{"at":"SendConfirmation"}' });
  expect(second).toEqual({
    ...{ name: 'order-1-2', input: { order: 'order-1', resume: { at: 'SendConfirmation', count: 2 } } },
  });
});

test('one that left nothing is followed by one that begins again', () => {
  expect(nextExecution({ name: 'order-1', input: {} })).toEqual({ name: 'order-1-1', input: { resume: { count: 1 } } });
});
