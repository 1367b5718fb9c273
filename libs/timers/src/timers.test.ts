import { describe, expect, test } from '@jest/globals';
import { AwsError } from '@millrace/aws';
import { isUnavailable } from '@millrace/errors';
import { defineEvent } from '@millrace/events';
import { RecordingClient, sampleEvent } from '@millrace/testing';
import * as z from 'zod';
import { SchedulerTimers } from './index.ts';

const now = Date.parse('2026-01-15T09:30:00.000Z');
const settings = { groupName: 'group', roleArn: 'role', busArn: 'bus', deadLetterArn: 'dlq' };
const KettleBoiled = defineEvent({
  name: 'KettleBoiled',
  version: 1,
  service: 'kitchen',
  category: 'domain',
  type: 'data',
  summary: 'The water is hot.',
  data: z.object({ kettle: z.string() }),
  example: { kettle: 'kettle-1' },
});
const event = sampleEvent(KettleBoiled);

function setUp(answer?: () => unknown) {
  const client = new RecordingClient(answer);
  return { client, timers: new SchedulerTimers(settings, { client, now: () => now }) };
}

const fails = (error: Error) => () => {
  throw error;
};
const conflict = new AwsError('ConflictException', { message: 'exists' });
const notFound = new AwsError('ResourceNotFoundException', { message: 'no such schedule' });

describe('a timer', () => {
  test('is a one-off schedule that puts the event on the bus as it is, and deletes itself', async () => {
    const { client, timers } = setUp();
    await timers.set('order-1', new Date('2026-01-15T09:45:00.250Z'), event);
    expect(client.inputs('CreateScheduleCommand')).toEqual([
      {
        Name: 'order-1',
        GroupName: 'group',
        // Never early: a schedule has whole seconds.
        ScheduleExpression: 'at(2026-01-15T09:45:01)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        ActionAfterCompletion: 'DELETE',
        Target: {
          Arn: 'bus',
          RoleArn: 'role',
          EventBridgeParameters: { Source: 'millrace.kitchen', DetailType: 'KettleBoiled.v1' },
          Input: event.detail,
          RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
          DeadLetterConfig: { Arn: 'dlq' },
        },
      },
    ]);
  });

  test('of a time that has passed runs in a moment: a schedule in the past might never run', async () => {
    const { client, timers } = setUp();
    await timers.set('order-1', new Date('2026-01-15T09:00:00.000Z'), event);
    expect(client.inputs('CreateScheduleCommand')).toMatchObject([{ ScheduleExpression: 'at(2026-01-15T09:30:10)' }]);
  });

  test('that is there already stays', async () => {
    await setUp(fails(conflict)).timers.set('order-1', new Date(now), event);
  });

  test('is deleted by its name, and may be gone already', async () => {
    const { client, timers } = setUp(fails(notFound));
    await timers.cancel('order-1');
    expect(client.inputs('DeleteScheduleCommand')).toEqual([{ Name: 'order-1', GroupName: 'group' }]);
  });

  test('waits while the account has too many schedules: each that runs or is deleted makes room', async () => {
    const exceeded = new AwsError('ServiceQuotaExceededException', { message: 'too many' });
    const error: unknown = await setUp(fails(exceeded))
      .timers.set('order-1', new Date(now), event)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'TIMERS_EXHAUSTED', cause: exceeded });
    expect(isUnavailable(error)).toBe(true);
  });

  test('that cannot be set or deleted for another reason fails', async () => {
    const throttled = Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
    await expect(setUp(fails(throttled)).timers.set('order-1', new Date(now), event)).rejects.toBe(throttled);
    await expect(setUp(fails(notFound)).timers.set('order-1', new Date(now), event)).rejects.toBe(notFound);
    await expect(setUp(fails(conflict)).timers.cancel('order-1')).rejects.toBe(conflict);
  });
});
