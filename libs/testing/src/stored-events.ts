import { documentClient } from '@millrace/aws';
import { relay, StoredOutbox } from '@millrace/event-store';
import type { EmittableEvent } from '@millrace/events';

/** An event as consumers get it, with its detail-type. */
export interface RelayedEvent {
  detailType: string;
  // biome-ignore lint/suspicious/noExplicitAny: each event has other fields, and the test that reads them has stored that event
  metadata: any;
  // biome-ignore lint/suspicious/noExplicitAny: each event has other fields, and the test that reads them has stored that event
  data: any;
}

/**
 * What the relay of a table would emit: it is run on all rows that have an event, however they keep it.
 *
 * @param subject only events about it
 * @returns in the order of their sequence
 * @example expect(await storedEvents('payments', orderId)).toMatchObject([{ detailType: 'PaymentProcessed.v1' }]);
 */
export async function storedEvents(tableName: string, subject?: string): Promise<RelayedEvent[]> {
  const emitted: EmittableEvent[] = [];
  const bus = { emit: async (events: readonly EmittableEvent[]) => void emitted.push(...events) };
  const run = relay([], { bus });
  const window = { from: new Date(0), to: new Date('9999-01-01T00:00:00Z') };
  for await (const { rows } of new StoredOutbox(documentClient(), tableName).scan(window)) {
    await run({ Records: rows.map(({ record }) => record) });
  }
  return emitted
    .map(({ detailType, detail }): RelayedEvent => ({ detailType, ...JSON.parse(detail) }))
    .filter(({ metadata }) => subject === undefined || metadata.subject === subject)
    .sort((a, b) => (a.metadata.sequence ?? 0) - (b.metadata.sequence ?? 0));
}
