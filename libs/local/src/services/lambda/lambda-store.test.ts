import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { LambdaStore } from './lambda-store.ts';

test('an event that a process was handling when it was killed is given to the next one', () => {
  const directory = mkdtempSync(join(tmpdir(), 'lambda-store-'));
  const event = { requestId: 'r', functionName: 'f', qualifier: undefined, payload: '{}', receivedAt: 1 };
  const rest = { traceHeader: undefined, clientContext: undefined, failures: 0, throttles: 0, lastResult: undefined };
  const killed = new LambdaStore(directory);
  killed.addEvent({ ...event, ...rest });
  expect(killed.takeEvent('f', 1)).toMatchObject(event);
  expect(killed.takeEvent('f', 1)).toBeUndefined();
  const next = new LambdaStore(directory);
  expect(next.takeEvent('f', 1)).toEqual({ ...event, ...rest });
  killed.close();
  next.close();
  rmSync(directory, { recursive: true });
});
