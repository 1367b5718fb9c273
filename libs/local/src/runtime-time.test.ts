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

const greetings = async ({ apiUrl }: Runtime, name: string) =>
  (await (await fetch(`${apiUrl}/guests/${name}`)).json()) as { greetings?: number };

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

test('schedules call operations of other services, once, and are deleted then', () =>
  whileRunning(async (runtime) => {
    const call = async (method: string, path: string, body?: object) => {
      const authorization =
        'AWS4-HMAC-SHA256 Credential=operator/20260101/us-east-1/scheduler/aws4_request, Signature=x';
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(`${runtime.awsUrl}${path}`, { method, headers: { authorization }, ...sent });
      return response.status;
    };
    const due = new Date(runtime.clock.now() + HOUR_MS).toISOString().slice(0, 19);
    const schedule = (target: string, input: object) => ({
      ScheduleExpression: `at(${due})`,
      ActionAfterCompletion: 'DELETE',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: `arn:aws:scheduler:::aws-sdk:${target}`,
        RoleArn: 'arn:aws:iam::000000000000:role/of-no-template',
        Input: JSON.stringify(input),
      },
    });
    const Item = { name: { S: 'noon' }, greetings: { N: '7' } };
    const mail = { FromEmailAddress: 'a@example.com', Destination: { ToAddresses: ['b@example.com'] } };
    const Content = { Simple: { Subject: { Data: 'Noon' }, Body: { Text: { Data: 'It is noon.' } } } };
    expect(
      await Promise.all([
        call('POST', '/schedules/put', schedule('dynamodb:putItem', { TableName: 'guestbook-dev', Item })),
        call('POST', '/schedules/mail', schedule('sesv2:sendEmail', { ...mail, Content })),
        call('POST', '/schedules/elsewhere', schedule('ec2:startInstances', {})),
      ]),
    ).toEqual([200, 200, 200]);
    await runtime.clock.advance(HOUR_MS);
    await eventually(async () => {
      expect((await greetings(runtime, 'noon')).greetings).toBeGreaterThanOrEqual(7);
      expect(runtime.messages.list({ to: 'b@example.com' })).toHaveLength(1);
      expect(await call('GET', '/schedules/put')).toBe(404);
    });
    expect(runtime.warnings).toContainEqual(expect.stringContaining('ec2 is not available on this machine'));
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
