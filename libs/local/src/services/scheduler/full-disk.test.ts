import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { scheduleInput, startScheduler } from '../../../fixtures/scheduler-under-test.ts';

const MINUTE_MS = 60_000;
let dataDirectory: string;
let database: DatabaseSync | undefined;

/** Lets no other connection write, as on a full disk. */
const block = (): void => {
  database ??= new DatabaseSync(join(dataDirectory, 'scheduler.db'));
  database.exec('BEGIN IMMEDIATE');
};
const unblock = (): void => database?.exec('ROLLBACK');

beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'scheduler-'));
});
afterEach(() => {
  database?.close();
  database = undefined;
  rmSync(dataDirectory, { recursive: true });
});

const warningOf = (reason: string) => `Schedules wait 10 seconds, as their database cannot be used: ${reason}`;
const warning = warningOf('database is locked');

// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule.html
describe('a schedule whose database cannot be written', () => {
  it('runs once it can be', async () => {
    await using scheduler = await startScheduler({ dataDirectory });
    await scheduler.invoke('CreateSchedule', scheduleInput({ StartDate: '2026-06-01T01:00:00Z' }));
    await scheduler.clock.advance(59 * MINUTE_MS);
    block();
    await scheduler.clock.advance(MINUTE_MS);
    expect([scheduler.calls, scheduler.warnings]).toEqual([[], [warning]]);
    unblock();
    await scheduler.clock.advance(10_000);
    expect(scheduler.calls.map(({ at }) => at)).toEqual(['2026-06-01T01:00:10.000Z']);
  });

  it('calls its target again, ten seconds after an outcome that could not be recorded', async () => {
    await using scheduler = await startScheduler({ dataDirectory });
    await scheduler.invoke('CreateSchedule', scheduleInput({ StartDate: '2026-06-01T01:00:00Z' }));
    // What is due can be written, and the outcome cannot.
    database = new DatabaseSync(join(dataDirectory, 'scheduler.db'));
    database.exec(`CREATE TRIGGER full BEFORE DELETE ON invocations
      BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`);
    await scheduler.clock.advance(60 * MINUTE_MS + 9000);
    expect([scheduler.calls.length, scheduler.warnings]).toEqual([1, [warningOf('database or disk is full')]]);
    database.exec('DROP TRIGGER full');
    await scheduler.clock.advance(2 * MINUTE_MS);
    expect(scheduler.calls.map(({ at }) => at)).toEqual(['2026-06-01T01:00:00.000Z', '2026-06-01T01:00:10.000Z']);
  });

  it('is tried every ten seconds by one timer, however many calls have failed to be recorded', async () => {
    let isBlocked = false;
    const answer = (): void => {
      if (!isBlocked) block();
      isBlocked = true;
    };
    await using scheduler = await startScheduler({ dataDirectory, answer });
    for (const Name of ['first', 'second', 'third']) {
      await scheduler.invoke('CreateSchedule', { ...scheduleInput({ StartDate: '2026-06-01T01:00:00Z' }), Name });
    }
    await scheduler.clock.advance(60 * MINUTE_MS + 15_000);
    const before = scheduler.warnings.length;
    await scheduler.clock.advance(30_000);
    expect(scheduler.warnings.slice(before)).toEqual([warning, warning, warning]);
    unblock();
    await scheduler.clock.advance(10_000);
    expect(scheduler.calls).toHaveLength(6);
  });
});
