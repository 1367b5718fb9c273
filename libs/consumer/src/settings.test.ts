import { afterEach, describe, expect, test } from '@jest/globals';
import { ConfigurationError } from '@millrace/errors';
import { RecordingClient } from '@millrace/testing';
import { idempotencyMarks } from './idempotency.ts';
import { consume } from './index.ts';
import { settingsFrom } from './settings.ts';

const sound = {
  MILLRACE_CONSUMER: 'inventory.onOrderPlaced',
  MILLRACE_CONSUMER_QUEUE_URL: 'http://127.0.0.1/queue',
  MILLRACE_CONSUMER_DLQ_URL: 'http://127.0.0.1/dlq',
  MILLRACE_MAX_RECEIVE_COUNT: '3',
  MILLRACE_MAX_RETRY_DELAY: '60',
  MILLRACE_QUEUE_RETENTION: '345600',
  MILLRACE_REPLAYS: 'ignore',
};

describe('settings', () => {
  test('are what the plugin puts into the environment', () => {
    expect(settingsFrom(sound)).toEqual({
      consumer: 'inventory.onOrderPlaced',
      queueUrl: 'http://127.0.0.1/queue',
      deadLetterQueueUrl: 'http://127.0.0.1/dlq',
      maxReceiveCount: 3,
      maxRetryDelaySeconds: 60,
      retentionSeconds: 345_600,
      replays: 'ignore',
    });
  });

  test.each(Object.keys(sound))('without %s are refused, naming it', (variable) => {
    for (const value of [undefined, '']) {
      expect(() => settingsFrom({ ...sound, [variable]: value })).toThrow(ConfigurationError);
      expect(() => settingsFrom({ ...sound, [variable]: value })).toThrow(new RegExp(`^${variable} must be `));
    }
  });

  test.each(['0', '-1', '1.5', 'many', '1001', 'Infinity'])('with %s receives are refused', (count) => {
    expect(() => settingsFrom({ ...sound, MILLRACE_MAX_RECEIVE_COUNT: count })).toThrow(
      'MILLRACE_MAX_RECEIVE_COUNT must be a whole number from 1 to 1000',
    );
  });
});

describe('settings out of range', () => {
  test.each(['0', '42301', '2.5', 'long'])('a longest delay of %s is refused', (delay) => {
    expect(() => settingsFrom({ ...sound, MILLRACE_MAX_RETRY_DELAY: delay })).toThrow(
      'MILLRACE_MAX_RETRY_DELAY must be a whole number from 1 to 42300',
    );
  });

  test('replays that are for nothing known are refused', () => {
    expect(() => settingsFrom({ ...sound, MILLRACE_REPLAYS: 'again' })).toThrow(
      'MILLRACE_REPLAYS must be one of ignore, handle, rebuild',
    );
  });
});

describe('a consumer', () => {
  afterEach(() => {
    for (const name of Object.keys(sound)) delete process.env[name];
  });

  test('does not start without its settings', () => {
    expect(() => consume([], async () => {})).toThrow(/MILLRACE_CONSUMER/);
  });

  test('takes them from the environment', () => {
    Object.assign(process.env, sound);

    expect(() => consume([], async () => {}, {}, { sqs: new RecordingClient() })).not.toThrow();
  });

  test.each([0, -1, Number.NaN])('that could run %d records at once does not start', (concurrency) => {
    expect(() => consume([], async () => {}, { concurrency })).toThrow('concurrency must be at least 1');
  });

  test('that de-duplicates itself does not start without its table', () => {
    Object.assign(process.env, sound);

    expect(() => idempotencyMarks()).toThrow(/^MILLRACE_IDEMPOTENCY_TABLE /);
  });
});
