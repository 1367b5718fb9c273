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

const warning = 'Schedules wait 10 seconds, as their database cannot be used: database is locked';

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
    let isBlocked = false;
    const answer = (): void => {
      if (isBlocked) return;
      isBlocked = true;
      block();
    };
    await using scheduler = await startScheduler({ dataDirectory, answer });
    await scheduler.invoke('CreateSchedule', scheduleInput({ StartDate: '2026-06-01T01:00:00Z' }));
    await scheduler.clock.advance(60 * MINUTE_MS + 9000);
    expect([scheduler.calls.length, scheduler.warnings]).toEqual([1, [warning]]);
    unblock();
    await scheduler.clock.advance(2 * MINUTE_MS);
    expect(scheduler.calls.map(({ at }) => at)).toEqual(['2026-06-01T01:00:00.000Z', '2026-06-01T01:00:10.000Z']);
  });
});
