import { randomUUID } from 'node:crypto';
import { type DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import { DynamoDbEventStore, documentClient, EmittedEvents } from '@millrace/event-store';
import type { Event } from '@millrace/events';
import type { TestDynamoDb } from '@millrace/testing/dynamodb';
import {
  type Projection,
  ProjectionReader,
  ProjectionTable,
  Projector,
  type RebuildOptions,
  rebuild,
} from './index.ts';
import { arrivals, parcelEvents, tracks } from './sample-projections.ts';

/** Times in which a test can wait for the dead. */
const leaseTimes = { beatEvery: 20, deadAfter: 200 };

/** An event store of parcels and a table of projections of their own, and what the tests do with them. */
export async function sampleStore(dynamoDb: TestDynamoDb, projections: readonly Projection[] = [tracks, arrivals]) {
  const name = `parcels-${randomUUID()}`;
  await dynamoDb.createTable(name);
  await dynamoDb.createTable(`${name}-projections`);
  const client = documentClient(dynamoDb.client);
  const store = new DynamoDbEventStore<{ type: string }>(client, name);
  const emitted = new EmittedEvents(client, name);
  const table = new ProjectionTable(client, `${name}-projections`);
  const streamOf = (subject: string) => `PARCEL#${subject}`;
  const projectorOver = (over: DynamoDBDocumentClient) =>
    new Projector(new ProjectionTable(over, table.tableName), projections, {
      emitted: new EmittedEvents(over, name),
      streamOf,
    });
  const projector = projectorOver(client);

  /** Stores a parcel's events, the last ones of them if told so, and returns them as the bus would deliver them. */
  async function keep(
    subject: string,
    events = parcelEvents(['Potsdam'], 'Berlin', subject),
    from = 0,
  ): Promise<Event[]> {
    await store.append(
      streamOf(subject),
      from,
      events
        .slice(from)
        .map((emit) => ({ id: randomUUID(), event: { type: 'Told' }, time: new Date(), correlationId: 'c', emit })),
    );
    return events.slice(from).map(({ event }) => event);
  }

  /** Parcels of some cities, stored and projected live. */
  async function parcels(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const subject = randomUUID();
      for (const event of await keep(subject, parcelEvents(['Potsdam'], `City ${index % 3}`, subject))) {
        await projector.handle(event);
      }
    }
  }

  /** Everything a version has, without its number. */
  const itemsOf = (projection: Pick<Projection, 'name'>, version: number) =>
    itemsBelow(`${projection.name}#${version}#`);
  /** Everything that all versions of a projection have. */
  const allItemsOf = (projection: Pick<Projection, 'name'>) => itemsBelow(`${projection.name}#`);

  async function itemsBelow(prefix: string) {
    const items: Record<string, unknown>[] = [];
    for await (const { Items = [] } of paginateScan({ client }, { TableName: table.tableName, ConsistentRead: true })) {
      for (const { pk, ...item } of Items) {
        if (pk.startsWith(prefix)) items.push({ ...item, pk: pk.slice(prefix.length) });
      }
    }
    return items.toSorted((a, b) => (String(a.pk) + String(a.sk) < String(b.pk) + String(b.sk) ? -1 : 1));
  }

  const run = (projection: Projection, options: Partial<RebuildOptions> = {}) =>
    rebuild({ emitted, table, projection, leaseTimes, ...options });
  const reader = new ProjectionReader(table);
  return { client, emitted, table, projector, projectorOver, keep, parcels, itemsOf, allItemsOf, run, reader };
}

/** A client whose requests are carried out by `send`. */
export function sending(
  client: DynamoDBDocumentClient,
  send: (command: object, carryOut: () => Promise<unknown>) => Promise<unknown>,
): DynamoDBDocumentClient {
  return new Proxy(client, {
    get: (target, member) =>
      member === 'send'
        ? (command: Parameters<typeof client.send>[0]) => send(command, () => target.send(command) as Promise<never>)
        : Reflect.get(target, member),
  });
}
