import { expect, it } from '@jest/globals';
import { ManualClock } from '../../core/clock.ts';
import { FunctionLogs } from './function-logs.ts';
import { LogEvents } from './log-events.ts';
import { LogGroups } from './log-groups.ts';
import { LogStore } from './log-store.ts';

it('a function goes on when its lines cannot be stored: they are lost, with a warning', async () => {
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const store = new LogStore(undefined);
  const groups = new LogGroups(store, { region: 'us-east-1', accountId: '000000000000', clock });
  const events = new LogEvents(store, groups, { clock, onEvents: () => undefined });
  const warnings: string[] = [];
  const logs = new FunctionLogs(store, events, clock, (line) => warnings.push(line));
  // Every write fails from now on, as on a full disk.
  store.close();

  for (const line of ['one', 'two']) {
    logs.write({ functionName: 'shop', line, timestamp: clock.now() });
    await clock.advance(1_000);
  }

  expect(warnings).toEqual([expect.stringMatching(/^Log lines of functions are lost: /)]);
});
