import { describe, expect, test } from '@jest/globals';
import { CircuitBreaker, InMemoryCircuitStore } from '@millrace/circuit-breaker';
import { RecordingClient } from '@millrace/testing';
import type { Message } from '../domain/message.ts';
import { MessageNotSentError } from './delivery-error.ts';
import { Mailer } from './mailer.ts';
import { Notifier, notifierFromEnvironment } from './notifier.ts';
import { SentLog } from './sent-log.ts';
import { TextMessenger } from './text-messenger.ts';

const variables = {
  MILLRACE_TABLE: 'sent-log',
  MILLRACE_IDEMPOTENCY_TABLE: 'idempotency',
  MILLRACE_MAIL_FROM: 'shop@millrace.example',
  MILLRACE_CIRCUIT_MINIMUM_CALLS: '4',
  MILLRACE_CIRCUIT_OPEN_SECONDS: '30',
};

describe('notifierFromEnvironment', () => {
  test('takes a complete environment', () => {
    expect(notifierFromEnvironment(variables)).toBeDefined();
  });

  test.each([
    ['no table', { MILLRACE_TABLE: '' }, 'MILLRACE_TABLE must be the name of a DynamoDB table'],
    ['no table of marks', { MILLRACE_IDEMPOTENCY_TABLE: '' }, 'MILLRACE_IDEMPOTENCY_TABLE must be the name'],
    [
      'no settings of circuits',
      { MILLRACE_CIRCUIT_OPEN_SECONDS: '' },
      'MILLRACE_CIRCUIT_OPEN_SECONDS must be a whole number',
    ],
    ['no sender', { MILLRACE_MAIL_FROM: undefined }, 'MILLRACE_MAIL_FROM must be an e-mail address'],
    ['a malformed sender', { MILLRACE_MAIL_FROM: 'shop' }, 'MILLRACE_MAIL_FROM must be an e-mail address'],
  ])('with %s the function does not start', (_what, change, message) => {
    expect(() => notifierFromEnvironment({ ...variables, ...change })).toThrow(message);
  });
});

test('a mail waits while SES is down, without a mark of its own, and SMS go on', async () => {
  let isDown = true;
  const ses = new RecordingClient(() => {
    if (isDown) throw Object.assign(new Error('down'), { name: 'InternalFailure' });
    return {};
  });
  const sns = new RecordingClient();
  const clock = { now: Date.parse('2026-03-01T00:00:00Z') };
  const settings = { failureRate: 0.5, minimumCalls: 4, windowMs: 60_000, openMs: 30_000, leaseMs: 30_000 };
  const circuit = (name: string) =>
    new CircuitBreaker(name, {
      store: new InMemoryCircuitStore(),
      settings,
      isFailure: (error) => error instanceof MessageNotSentError,
      now: () => clock.now,
    });
  const notifier = new Notifier(
    new Mailer(ses as never, 'shop@millrace.example'),
    new TextMessenger(sns as never),
    new SentLog(new RecordingClient() as never, 'sent-log'),
    { email: circuit('email'), sms: circuit('sms') },
  );
  const steps: string[] = [];
  const send = (messages: readonly Message[]) =>
    notifier.send(messages, {
      inbox: { consumer: 'notifications.test', eventId: 'event-1' },
      once: async (step, effect) => {
        steps.push(step);
        await effect();
      },
    });
  const about = { template: 'order-confirmed', recipient: 'customer-1' };
  const mail: Message = {
    ...about,
    channel: 'email',
    to: 'ada@example.com',
    mail: { subject: 'Hello', text: 'Hello', html: '<p>Hello</p>' },
  };
  const sms: Message = { ...about, channel: 'sms', to: '+4915112345678', text: 'Hello' };

  for (let attempt = 1; attempt <= 3; attempt += 1) {
    await expect(send([mail])).rejects.toMatchObject({ code: 'MESSAGE_NOT_SENT' });
  }
  await expect(send([mail])).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
  steps.length = 0;
  await expect(send([mail, sms])).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
  expect(steps).toEqual(['sms']);
  expect(ses.sent).toHaveLength(4);
  expect(sns.sent).toHaveLength(1);

  isDown = false;
  clock.now += 30_000;
  await send([mail]);
  expect(ses.sent).toHaveLength(5);
});
