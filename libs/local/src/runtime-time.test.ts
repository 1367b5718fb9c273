import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { callAwsJson } from './core/aws-json-client.ts';
import type { Runtime } from './core/runtime.ts';
import { startRuntime } from './runtime.ts';

const services = [join(import.meta.dirname, '..', 'fixtures', 'guestbook')];
const HOUR_MS = 3_600_000;
let dataDirectory: string;

beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'guestbook-'));
});
afterEach(() => rm(dataDirectory, { recursive: true }));

/** Runs the guestbook for a while. */
async function whileRunning(what: (runtime: Runtime) => Promise<void>): Promise<void> {
  const runtime = await startRuntime({ services, apiPort: 0, awsPort: 0, dataDirectory });
  try {
    await what(runtime);
  } finally {
    await runtime.stop();
  }
}

const greetings = async ({ apiUrl }: Runtime, name: string) => (await fetch(`${apiUrl}/guests/${name}`)).json();

/** What stands in the logs and metrics of the function that greets. */
async function recorded({ awsUrl }: Runtime, from: number, to: number): Promise<{ lines: number; errors: number }> {
  const ask = (service: string, target: string, input: object) =>
    callAwsJson(awsUrl, { region: 'us-east-1', service, target }, input);
  const { events } = await ask('logs', 'Logs_20140328.FilterLogEvents', {
    logGroupName: '/aws/lambda/guestbook-dev-greet',
    filterPattern: '"nobody is not greeted"',
  });
  const { Datapoints } = await ask('monitoring', 'GraniteServiceVersion20100801.GetMetricStatistics', {
    ...{ Namespace: 'AWS/Lambda', MetricName: 'Errors', Statistics: ['Sum'], Period: 60 },
    Dimensions: [{ Name: 'FunctionName', Value: 'guestbook-dev-greet' }],
    ...{ StartTime: from / 1000 - 60, EndTime: to / 1000 + 60 },
  });
  const sums = (Datapoints as { Sum: number }[]).map(({ Sum }) => Sum);
  return { lines: (events as unknown[]).length, errors: sums.reduce((sum, value) => sum + value, 0) };
}

test('what waits for the night happens when the clock is moved there', () =>
  whileRunning(async (runtime) => {
    expect(await greetings(runtime, 'night')).not.toMatchObject({ greetings: 1 });
    await runtime.clock.advance(24 * HOUR_MS);
    // By a queue, and by a call of the function.
    for (const name of ['night', 'morning']) {
      await eventually(async () => expect(await greetings(runtime, name)).toMatchObject({ greetings: 1 }));
    }
    expect(runtime.refusals()).toEqual([]);
  }));

test('logs and metrics outlive the runtime', async () => {
  const from = Date.now();
  await whileRunning(async (runtime) => {
    await fetch(`${runtime.apiUrl}/guests/nobody`, { method: 'POST' });
    await eventually(async () => expect(await recorded(runtime, from, Date.now())).toEqual({ lines: 1, errors: 1 }));
  });
  await whileRunning(async (runtime) => {
    expect(await recorded(runtime, from, Date.now())).toEqual({ lines: 1, errors: 1 });
  });
});
