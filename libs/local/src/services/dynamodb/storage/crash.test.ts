import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DynamoDbUnderTest } from '../../../../fixtures/dynamodb-under-test.ts';

const KILLS = 20;
let dataDirectory: string;
const running: ChildProcess[] = [];

beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'millrace-test-'));
});
afterEach(async () => {
  for (const child of running.splice(0)) await end(child);
  rmSync(dataDirectory, { recursive: true });
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** Starts a process that writes without an end, and tells each write once it has been answered. */
function startWriter(): { child: ChildProcess; lines: AsyncIterator<string> } {
  const writer = join(import.meta.dirname, '../../../../fixtures/dynamodb-writer.ts');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', writer, dataDirectory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

test('a process that is killed under load keeps each write that it has acknowledged, and only once', async () => {
  const answered: string[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    const { child, lines } = startWriter();
    for (let count = 0; count < 20 + 7 * kill; count += 1) answered.push((await lines.next()).value);
    child.kill('SIGKILL');
    // What was answered before the end, and has not been read yet.
    for (let line = await lines.next(); !line.done; line = await lines.next()) answered.push(line.value);
    await end(child);
  }
  await using db = new DynamoDbUnderTest({ dataDirectory });
  const items = new Map<string, { n: number; sum: number }>();
  let ExclusiveStartKey: object | undefined;
  do {
    const page = await db.call('Scan', { ExclusiveStartKey });
    for (const { pk, n, sum } of page.Items) items.set(pk.S, { n: Number(n?.N ?? 0), sum: Number(sum?.N ?? 0) });
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);

  expect(answered.length).toBeGreaterThan(KILLS * 20);
  expect(answered.filter((id) => !items.has(id))).toEqual([]);
  // Each transaction writes an item and counts it: neither happened without the other, nor twice.
  const { n = 0, sum = 0 } = items.get('counter') ?? {};
  const numbers = [...items.values()].map((item) => item.n).filter((each) => each > 0);
  expect(n).toBe(items.size - 1);
  expect(sum).toBe(numbers.reduce((total, each) => total + each, 0) - n);
  // The stream has one record for each item that was inserted.
  const inserted = (await db.records()).filter(({ eventName }) => eventName === 'INSERT');
  expect(inserted).toHaveLength(items.size);
  expect(new Set(inserted.map(({ dynamodb }) => dynamodb.SequenceNumber)).size).toBe(items.size);
}, 120_000);

test('a second process is refused while the first one runs', async () => {
  const first = startWriter();
  await first.lines.next();
  expect(() => new DynamoDbUnderTest({ dataDirectory })).toThrow('is in use by another process');
});
