import { expect, test } from '@jest/globals';
import type { StageQueues } from '@millrace/dead-letters/operations';
import type { CatalogueEntry } from '@millrace/workspace/catalogue';
import type { Lineage } from '../find-lineage.ts';
import { lineageTree } from '../lineage-tree.ts';
import type { LoggedEvent } from '../logged-event.ts';
import { followLineage } from './follow-lineage.ts';

const event = (id: string): LoggedEvent => ({
  ...{ id, service: 'orders', detailType: 'OrderPlaced.v1', source: 'millrace.orders', subject: 'o-1' },
  ...{ correlationId: 'call-1', time: '2026-01-01T00:00:00.000Z', receivedAt: '2026-01-01T00:00:00.000Z' },
});

const consumer = (service: string, filter?: object) => ({
  ...{ service, function: 'onOrderPlaced', file: `services/${service}/serverless.yml`, key: 'functions' },
  ...(filter && { filter }),
});

/** Who takes which event of a type that two consumers take, one of them only without a process. */
async function takers(data: Record<string, object>): Promise<Record<string, string[]>> {
  const catalogue: CatalogueEntry[] = [
    {
      ...{ detailType: 'OrderPlaced.v1', producers: [], analyticsConsumers: [], createdIn: [] },
      consumers: [consumer('inventory', { data: { process: [{ exists: false }] } }), consumer('reports')],
    },
  ];
  const trees = [lineageTree('call-1', Object.keys(data).map(event))];
  const lineage: Lineage = { id: 'o-1', count: trees.length, truncated: false, trees };
  // There are no queues: nothing is received, and every consumer is told of as one that is not deployed.
  const queues = { stage: 'dev', deadLetterQueues: [], sourcesOf: () => [] } as unknown as StageQueues;
  const { whereabouts } = await followLineage({ send: async () => ({}) } as never, queues, lineage, catalogue, {
    marks: async () => new Set(),
    readEvent: async (id) => ({ ...event(id), metadata: {}, data: data[id] }),
    startedAt: new Date('2026-01-01T00:05:00Z'),
  });
  return Object.fromEntries([...whereabouts].map(([id, all]) => [id, all.map(({ consumer: name }) => name)]));
}

test('a consumer whose filter leaves an event out is not expected to handle it', async () => {
  expect(await takers({ choreographed: {}, checkout: { process: 'checkout' } })).toEqual({
    choreographed: ['inventory.onOrderPlaced', 'reports.onOrderPlaced'],
    checkout: ['reports.onOrderPlaced'],
  });
});
