import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from '@jest/globals';
import { KinesisUnderTest } from '../../../fixtures/kinesis-under-test.ts';

const KILLS = 3;
const WRITER = join(import.meta.dirname, '../../../fixtures/kinesis-writer.ts');

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
test('a process that is killed while it writes keeps each record that it has acknowledged, and only once', async () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'kinesis-'));
  try {
    const answered: string[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WRITER, dataDirectory], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(child, 'exit');
      for await (const line of createInterface({ input: child.stdout })) {
        answered.push(line);
        if (answered.length > 300 * (kill + 1)) child.kill('SIGKILL');
      }
      await ended;
    }
    await using kinesis = await KinesisUnderTest.start({ dataDirectory });
    const { Records, texts } = await kinesis.get(await kinesis.iterator('orders'));
    expect(answered.length).toBeGreaterThan(KILLS * 300);
    expect(answered.filter((text) => !texts.includes(text))).toEqual([]);
    expect(new Set(texts).size).toBe(texts.length);
    const numbers = Records.map(({ SequenceNumber = '' }) => SequenceNumber);
    expect([...new Set(numbers)].sort()).toEqual(numbers);
    // A call is kept with all of its records or with none.
    expect(texts.length % 3).toBe(0);
  } finally {
    rmSync(dataDirectory, { recursive: true, force: true });
  }
}, 60_000);
