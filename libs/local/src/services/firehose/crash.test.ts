import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { FirehoseUnderTest } from '../../../fixtures/firehose-under-test.ts';
import { ManualClock } from '../../core/clock.ts';

const WRITER = join(import.meta.dirname, '../../../fixtures/firehose-writer.ts');
/** The days on which a writer is killed. They keep the names of the objects apart. */
const KILLS = ['2026-06-01', '2026-06-02', '2026-06-03'];

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'firehose-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

// https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html
test('a process that is killed while it takes and delivers records loses no record that it has acknowledged', async () => {
  const answered: string[] = [];
  for (const day of KILLS) {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WRITER, directory, day], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const before = answered.length;
    for await (const line of createInterface({ input: child.stdout })) {
      answered.push(line);
      if (answered.length - before > 300) child.kill('SIGKILL');
    }
    await ended;
  }
  expect(answered.length).toBeGreaterThan(KILLS.length * 300);
  const clock = new ManualClock(Date.parse('2026-06-04'));
  await using firehose = await FirehoseUnderTest.start({ dataDirectory: directory, clock });
  const delivered = new Set<string>();
  await eventually(async () => {
    await clock.advance(3_600_000);
    for (const line of Object.values(await firehose.texts())
      .join('')
      .split('\n'))
      delivered.add(line);
    expect(answered.filter((text) => !delivered.has(text))).toEqual([]);
  });
  // A call is kept with all of its records or with none.
  delivered.delete('');
  expect(delivered.size % 3).toBe(0);
}, 120_000);

// https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html
test('records whose object was written just before the process died are delivered again', async () => {
  const [running, left] = [join(directory, 'running'), join(directory, 'left')];
  await using first = await FirehoseUnderTest.start({ dataDirectory: running });
  await first.create();
  await first.put('a');
  // What the process would leave if it died here: the object is in the bucket, its record still in the buffer.
  first.onObject = () => cpSync(running, left, { recursive: true });
  await first.clock.advance(300_000);
  await eventually(async () => expect(Object.values(await first.texts())).toEqual(['a']));

  const clock = new ManualClock(Date.parse('2026-06-02'));
  await using second = await FirehoseUnderTest.start({ dataDirectory: left, clock });
  expect(Object.values(await second.texts())).toEqual(['a']);
  await eventually(async () => {
    await clock.advance(1000);
    expect(Object.values(await second.texts())).toEqual(['a', 'a']);
  });
  // Only once: now the record has left the buffer.
  await clock.advance(600_000);
  expect(Object.values(await second.texts())).toEqual(['a', 'a']);
});

// https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
test('a PutRecordBatch call that fails at one of its records keeps no record', async () => {
  await using firehose = await FirehoseUnderTest.start({ dataDirectory: directory });
  await firehose.create();
  using database = new DatabaseSync(join(directory, 'firehose.db'));
  database.exec(`CREATE TRIGGER full BEFORE INSERT ON records WHEN CAST(NEW.data AS TEXT) = 'b'
    BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`);
  const Records = ['a', 'b', 'c'].map((text) => ({ Data: Buffer.from(text).toString('base64') }));
  const call = firehose.call('PutRecordBatch', { DeliveryStreamName: 'orders', Records });
  await expect(call).rejects.toThrow('disk is full');
  expect(database.prepare('SELECT COUNT(*) AS count FROM records').get()).toEqual({ count: 0 });
});
