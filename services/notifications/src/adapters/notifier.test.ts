import { describe, expect, test } from '@jest/globals';
import { notifierFromEnvironment } from './notifier.ts';

const variables = { MILLRACE_TABLE: 'sent-log', MILLRACE_MAIL_FROM: 'shop@millrace.example' };

describe('notifierFromEnvironment', () => {
  test('takes a complete environment', () => {
    expect(notifierFromEnvironment(variables)).toBeDefined();
  });

  test.each([
    ['no table', { MILLRACE_TABLE: '' }, 'MILLRACE_TABLE must be the name of a DynamoDB table'],
    ['no sender', { MILLRACE_MAIL_FROM: undefined }, 'MILLRACE_MAIL_FROM must be an e-mail address'],
    ['a malformed sender', { MILLRACE_MAIL_FROM: 'shop' }, 'MILLRACE_MAIL_FROM must be an e-mail address'],
  ])('with %s the function does not start', (_what, change, message) => {
    expect(() => notifierFromEnvironment({ ...variables, ...change })).toThrow(message);
  });
});
