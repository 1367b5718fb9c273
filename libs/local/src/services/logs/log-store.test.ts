import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { LogStore } from './log-store.ts';

const group = { name: 'g', createdAt: 0, tags: {}, isDeclared: false };
const everything = { groupName: 'g', from: 0, to: Number.MAX_SAFE_INTEGER - 1 };

it('keeps groups, streams and events over a restart in a data directory', () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'logs-'));
  const first = new LogStore(dataDirectory);
  first.saveGroup({ ...group, retentionInDays: 7, tags: { team: 'orders' } });
  first.createStream('g', 's', 1);
  first.append('g', 's', [{ timestamp: 2, message: 'before' }], 3);
  first.close();

  const second = new LogStore(dataDirectory);
  second.append('g', 's', [{ timestamp: 1, message: 'older, but written later' }], 4);
  expect(second.group('g')).toEqual({ ...group, retentionInDays: 7, tags: { team: 'orders' } });
  expect(second.streams('g')).toEqual([
    { name: 's', createdAt: 1, firstEventAt: 1, lastEventAt: 2, lastIngestionAt: 4 },
  ]);
  expect([...second.events(everything)].map(({ message }) => message)).toEqual(['older, but written later', 'before']);
  second.close();
  rmSync(dataDirectory, { recursive: true });
});

it('takes bounded memory without one: the oldest events give way', () => {
  const store = new LogStore(undefined, 10_000);
  store.saveGroup(group);
  store.createStream('g', 's', 0);
  for (let index = 0; index < 500; index += 1) {
    store.append('g', 's', [{ timestamp: index, message: 'x'.repeat(74) }], 0);
  }
  const kept = [...store.events(everything)];
  expect(kept.length).toBeGreaterThanOrEqual(90);
  expect(kept.length).toBeLessThanOrEqual(100);
  expect(kept.at(-1)?.timestamp).toBe(499);
  store.close();
});
