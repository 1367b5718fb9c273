import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type SchedulerUnderTest, scheduleInput, startScheduler } from '../../../fixtures/scheduler-under-test.ts';
import { AwsError } from '../../core/aws-error.ts';
import type { RoleCall } from '../../core/service.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const unavailable = new AwsError('ServiceUnavailable', 'Try again', 503);

let stack = new AsyncDisposableStack();

async function start(options: Parameters<typeof startScheduler>[0] = {}): Promise<SchedulerUnderTest> {
  return stack.use(await startScheduler(options));
}

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'scheduler-'));
  stack.defer(() => rm(path, { recursive: true }));
  return path;
}

const times = ({ calls }: SchedulerUnderTest): string[] => calls.map(({ at }) => at.replace(':00.000Z', 'Z'));
/** Fails every call but those that send a dead letter. */
const failing = (error: Error) => (call: RoleCall) => {
  if (call.operation === 'SendMessage') return {};
  throw error;
};

afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html */
describe('a schedule runs', () => {
  it('at a rate from its creation on, or from its start date, until its end date', async () => {
    const started = await start();
    await started.invoke('CreateSchedule', scheduleInput());
    await started.clock.advance(11 * MINUTE_MS);
    expect(times(started)).toEqual(['2026-06-01T00:00Z', '2026-06-01T00:05Z', '2026-06-01T00:10Z']);

    const dated = await start();
    const dates = { StartDate: '2026-06-01T01:00:00Z', EndDate: '2026-06-01T01:10:00Z' };
    await dated.invoke('CreateSchedule', scheduleInput(dates));
    await dated.clock.advance(DAY_MS);
    expect(times(dated)).toEqual(['2026-06-01T01:00Z', '2026-06-01T01:05Z', '2026-06-01T01:10Z']);
  });

  it('by cron in its time zone, on both sides of a change of the clocks', async () => {
    const started = await start({ now: '2026-10-24T00:00:00Z' });
    const members = { ScheduleExpression: 'cron(30 2 * * ? *)', ScheduleExpressionTimezone: 'Europe/Berlin' };
    await started.invoke('CreateSchedule', scheduleInput(members));
    await started.clock.advance(3 * DAY_MS);
    expect(times(started)).toEqual(['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z']);
  });

  it('once at a time, and at once if that has passed', async () => {
    const started = await start();
    await started.invoke(
      'CreateSchedule',
      scheduleInput({ Name: 'later', ScheduleExpression: 'at(2026-06-01T06:00:00)' }),
    );
    await started.invoke(
      'CreateSchedule',
      scheduleInput({ Name: 'past', ScheduleExpression: 'at(2026-05-31T06:00:00)' }),
    );
    await started.clock.advance(2 * DAY_MS);
    expect(started.calls.map(({ sourceArn, at }) => `${sourceArn.split('/').at(-1)} ${at}`)).toEqual([
      'past 2026-06-01T00:00:00.000Z',
      'later 2026-06-01T06:00:00.000Z',
    ]);
  });

  it('not while it is disabled; a one-time schedule that is enabled late runs at once, but not again', async () => {
    const started = await start();
    const at = { ScheduleExpression: 'at(2026-06-01T06:00:00)' };
    await started.invoke('CreateSchedule', scheduleInput({ ...at, State: 'DISABLED' }));
    await started.clock.advance(DAY_MS);
    expect(times(started)).toEqual([]);
    await started.invoke('UpdateSchedule', scheduleInput(at));
    await started.invoke('UpdateSchedule', scheduleInput({ ...at, Description: 'changed' }));
    await started.clock.advance(DAY_MS);
    expect(times(started)).toEqual(['2026-06-02T00:00Z']);
  });

  it('not after it is deleted, retries included', async () => {
    const started = await start({ answer: failing(unavailable) });
    await started.invoke('CreateSchedule', scheduleInput());
    await started.clock.advance(0);
    await started.invoke('DeleteSchedule', { Name: 'nightly' });
    await started.clock.advance(DAY_MS);
    expect(times(started)).toEqual(['2026-06-01T00:00Z']);
  });

  /** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-flexible-time-windows.html */
  it('somewhere in its flexible window', async () => {
    const started = await start({ random: () => 0.75 });
    const FlexibleTimeWindow = { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 60 };
    await started.invoke(
      'CreateSchedule',
      scheduleInput({ ScheduleExpression: 'cron(0 8 * * ? *)', FlexibleTimeWindow }),
    );
    await started.clock.advance(DAY_MS);
    expect(times(started)).toEqual(['2026-06-01T08:45Z']);
  });

  /** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-delete.html */
  it('and is deleted after its last time if it says so, once its target has been invoked', async () => {
    let failures = 2;
    const started = await start({
      answer: () => {
        failures -= 1;
        if (failures >= 0) throw unavailable;
        return {};
      },
    });
    const once = { ScheduleExpression: 'at(2026-06-01T06:00:00)' };
    await started.invoke('CreateSchedule', scheduleInput({ ...once, Name: 'kept' }));
    await started.invoke('CreateSchedule', scheduleInput({ ...once, ActionAfterCompletion: 'DELETE' }));
    await started.clock.set(Date.parse('2026-06-01T06:00:00Z'));
    expect(await started.invoke('GetSchedule', { Name: 'nightly' })).toMatchObject({ Name: 'nightly' });
    await started.clock.advance(HOUR_MS);
    expect(started.calls).toHaveLength(4);
    expect(await started.invoke('ListSchedules', {})).toMatchObject({ Schedules: [{ Name: 'kept' }] });
  });
});

describe('a restart', () => {
  const daily = { ScheduleExpression: 'cron(0 8 * * ? *)' };

  async function restart(dataDirectory: string, now: string, options: Parameters<typeof startScheduler>[0] = {}) {
    return start({ dataDirectory, now, ...options });
  }

  it('makes up for what was missed: the last time, once, and then goes on', async () => {
    const dataDirectory = await directory();
    const first = await startScheduler({ dataDirectory });
    await first.invoke('CreateSchedule', scheduleInput(daily));
    await first.running[Symbol.asyncDispose]();

    const second = await restart(dataDirectory, '2026-06-04T09:00:00Z');
    await second.clock.advance(DAY_MS);
    expect(times(second)).toEqual(['2026-06-04T09:00Z', '2026-06-05T08:00Z']);
    expect(second.warnings).toEqual([]);
  });

  it('leaves out what is older than the retry policy and the flexible window allow, and says so', async () => {
    const dataDirectory = await directory();
    const first = await startScheduler({ dataDirectory });
    const RetryPolicy = { MaximumEventAgeInSeconds: 600 };
    const FlexibleTimeWindow = { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 60 };
    await first.invoke('CreateSchedule', scheduleInput(daily, { RetryPolicy }));
    await first.invoke(
      'CreateSchedule',
      scheduleInput({ ...daily, Name: 'flexible', FlexibleTimeWindow }, { RetryPolicy }),
    );
    await first.running[Symbol.asyncDispose]();

    const second = await restart(dataDirectory, '2026-06-01T09:00:00Z');
    await second.clock.advance(0);
    expect(second.calls.map(({ sourceArn }) => sourceArn.split('/').at(-1))).toEqual(['flexible']);
    expect(second.warnings).toEqual([
      'The schedule nightly was due at 2026-06-01T08:00:00.000Z, which is too long ago.',
    ]);
  });

  it('calls a target again that had not answered', async () => {
    const dataDirectory = await directory();
    const first = await startScheduler({ dataDirectory, answer: failing(unavailable) });
    await first.invoke('CreateSchedule', scheduleInput({ ScheduleExpression: 'at(2026-06-01T00:00:00)' }));
    await first.clock.advance(0);
    await first.running[Symbol.asyncDispose]();

    const second = await restart(dataDirectory, '2026-06-01T00:10:00Z');
    await second.clock.advance(DAY_MS);
    expect(times(second)).toEqual(['2026-06-01T00:10Z']);
  });

  it('calls a target again whose answer did not come before the end', async () => {
    const dataDirectory = await directory();
    const answers = Promise.withResolvers<object>();
    const first = await startScheduler({ dataDirectory, answer: () => answers.promise });
    await first.invoke('CreateSchedule', scheduleInput({ ScheduleExpression: 'at(2026-06-01T00:00:00)' }));
    await first.clock.advance(0);
    await first.running[Symbol.asyncDispose]();
    // Too late: the store is closed.
    answers.resolve({});

    const second = await restart(dataDirectory, '2026-06-01T00:00:05Z');
    await second.clock.advance(DAY_MS);
    expect(times(second)).toEqual(['2026-06-01T00:00:05.000Z']);
  });

  it('goes on with a template’s schedule that has not changed, and removes what is not declared any more', async () => {
    const dataDirectory = await directory();
    const declared = (name: string, type = 'Schedule') => ({
      type: `AWS::Scheduler::${type}`,
      name,
      properties: type === 'Schedule' ? scheduleInput({ Name: undefined, GroupName: 'billing' }) : {},
    });
    const group = declared('billing', 'ScheduleGroup');
    const resources = [declared('a'), declared('b'), group];
    const first = await startScheduler({ dataDirectory, resources });
    await first.invoke('CreateSchedule', scheduleInput({ Name: 'own' }));
    await first.clock.advance(0);
    expect(first.calls).toHaveLength(3);
    await first.running[Symbol.asyncDispose]();

    const second = await restart(dataDirectory, '2026-06-01T00:01:00Z', { resources: [declared('a'), group] });
    await second.clock.advance(5 * MINUTE_MS);
    // At the rate of the first start, not from the second on.
    expect(second.calls.map(({ sourceArn, at }) => `${sourceArn.split('/').at(-1)} ${at.slice(11, 16)}`)).toEqual([
      'a 00:05',
      'own 00:05',
    ]);
  });
});
