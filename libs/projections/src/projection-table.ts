import { BatchWriteCommand, type DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import { ConcurrencyConflictError, type ConditionalWrite, commit, retryOnConflict } from '@millrace/event-store';
import type { Event } from '@millrace/events';
import { nothingApplied } from './applied.ts';
import type { Projection, RowKey } from './define-projection.ts';
import { pendingEvents, type SubjectEvents } from './pending-events.ts';
import { type Item, type ItemKey, idOf, readItems } from './read-items.ts';

/** How often a write is tried in all when others change the same rows: a day's sales are many orders' row. */
const MAX_ATTEMPTS = 10;

/** DynamoDB deletes as many at once. */
const DELETES_PER_REQUEST = 25;

/**
 * The rows of all versions of all projections of a service, in a table with `pk` and `sk`:
 *
 * | pk | sk | |
 * |---|---|---|
 * | `<projection>` | `POINTER` | which version is read, see pointers.ts |
 * | `<projection>#<version>#ROW#<partition>` | the row's `sort` | `row`, and how many `events` are in it |
 * | `<projection>#<version>#MARK#<subject>` | `MARK` | which events of an aggregate are in, and where the last one went |
 */
export class ProjectionTable {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;

  /** @param client made by `documentClient` of @millrace/event-store */
  constructor(client: DynamoDBDocumentClient, tableName: string) {
    this.client = client;
    this.tableName = tableName;
  }

  /**
   * Applies events of some aggregates to one version of a projection: those that are in already change nothing, and rows
   * and marks are written in one transaction, so that each event counts once, whoever else applies it meanwhile.
   * @param subjects whose marks and rows are 100 items at most, see `itemCount`
   * @returns how many events were applied
   * @throws SequenceGapError; ConcurrencyConflictError or StoreBusyError when others kept being faster
   */
  apply(projection: Projection, version: number, subjects: readonly SubjectEvents[]): Promise<number> {
    return retryOnConflict(() => this.#apply(projection, version, subjects), { maxAttempts: MAX_ATTEMPTS });
  }

  async #apply(projection: Projection, version: number, subjects: readonly SubjectEvents[]): Promise<number> {
    const markKeys = subjects.map(({ subject }) => markKey(projection.name, version, subject));
    const rowKeys = (keys: readonly RowKey[]) => keys.map((key) => rowKey(projection.name, version, key));
    // In one request with the marks, the rows as far as they can be guessed without the marks.
    const guessed = subjects.flatMap(({ events }) => keysOf(projection, events));
    const stored = await this.#read([...markKeys, ...rowKeys(guessed)]);

    const steps: { event: Event; key: RowKey }[] = [];
    const marks: Item[] = [];
    for (const [index, subject] of subjects.entries()) {
      const key = markKey(projection.name, version, subject.subject);
      const mark = stored.get(idOf(markKeys[index] ?? key));
      const { events, applied } = pendingEvents(
        projection,
        mark ? { upTo: mark.upTo, beyond: mark.beyond } : nothingApplied,
        subject,
      );
      if (events.length === 0) continue;
      const keys = keysOf(projection, events, mark?.row);
      for (const [at, event] of events.entries()) {
        const to = keys[at];
        if (to) steps.push({ event, key: to });
      }
      marks.push({ ...key, events: (mark?.events ?? 0) + events.length, ...applied, row: keys.at(-1) });
    }
    if (steps.length === 0) return 0;

    const missing = rowKeys(steps.map(({ key }) => key)).filter((key) => !stored.has(idOf(key)));
    const guesses = new Set(rowKeys(guessed).map(idOf));
    for (const [id, item] of await this.#read(missing.filter((key) => !guesses.has(idOf(key))))) stored.set(id, item);

    const rows = new Map<string, Item>();
    for (const { event, key } of steps) {
      const itemKey = rowKey(projection.name, version, key);
      const before = rows.get(idOf(itemKey)) ?? stored.get(idOf(itemKey));
      const row = projection.evolve(before?.row, event);
      rows.set(idOf(itemKey), { ...itemKey, events: (before?.events ?? 0) + 1, row });
    }
    const writes = [...marks, ...rows.values()].map((item) => this.#put(item, stored.get(idOf(item))));
    await commit(this.client, writes);
    return steps.length;
  }

  /** Deletes whatever a projection has of other versions than this one. */
  async deleteOthers({ name }: Pick<Projection, 'name'>, version: number): Promise<number> {
    let deleted = 0;
    const pages = paginateScan(
      { client: this.client },
      {
        TableName: this.tableName,
        FilterExpression: 'begins_with(pk, :projection) AND NOT begins_with(pk, :version)',
        ProjectionExpression: 'pk, sk',
        ExpressionAttributeValues: { ':projection': `${name}#`, ':version': `${name}#${version}#` },
      },
    );
    for await (const { Items = [] } of pages) {
      for (let start = 0; start < Items.length; start += DELETES_PER_REQUEST) {
        const keys = Items.slice(start, start + DELETES_PER_REQUEST);
        await this.#delete(keys as ItemKey[]);
        deleted += keys.length;
      }
    }
    return deleted;
  }

  #read(keys: readonly ItemKey[]): Promise<Map<string, Item>> {
    return readItems(this.client, this.tableName, keys);
  }

  /** Writes an item unless somebody has changed it since it was read. */
  #put(item: Item, before: Item | undefined): ConditionalWrite {
    return {
      write: {
        Put: {
          TableName: this.tableName,
          Item: item,
          ...(before
            ? {
                ConditionExpression: '#events = :events',
                ExpressionAttributeNames: { '#events': 'events' },
                ExpressionAttributeValues: { ':events': before.events },
              }
            : { ConditionExpression: 'attribute_not_exists(pk)' }),
        },
      },
      onConditionFailed: (options) => new ConcurrencyConflictError(`${item.pk} has been changed meanwhile`, options),
    };
  }

  async #delete(keys: readonly ItemKey[]): Promise<void> {
    let left = keys.map((Key) => ({ DeleteRequest: { Key } }));
    while (left.length > 0) {
      const { UnprocessedItems } = await this.client.send(
        new BatchWriteCommand({ RequestItems: { [this.tableName]: left } }),
      );
      left = (UnprocessedItems?.[this.tableName] ?? []) as typeof left;
    }
  }
}

/** How many items the events of an aggregate change: its mark, and their rows. */
export function itemCount(projection: Projection, { events }: SubjectEvents): number {
  return 1 + new Set(keysOf(projection, events).map(({ partition, sort }) => JSON.stringify([partition, sort]))).size;
}

/** The partition key of the rows of one partition. */
export function partitionKey(projection: string, version: number, partition: string): string {
  return `${projection}#${version}#ROW#${partition}`;
}

/** Where each of an aggregate's events goes. */
function keysOf(projection: Projection, events: readonly Event[], earlier?: RowKey): RowKey[] {
  let last = earlier;
  return events.map((event) => {
    last = projection.keyOf(event, last);
    return last;
  });
}

function rowKey(projection: string, version: number, { partition, sort }: RowKey): ItemKey {
  return { pk: partitionKey(projection, version, partition), sk: sort };
}

function markKey(projection: string, version: number, subject: string): ItemKey {
  return { pk: `${projection}#${version}#MARK#${subject}`, sk: 'MARK' };
}
