import { BatchWriteCommand, type DocumentClient, paginateScan } from '@millrace/aws';
import {
  ConcurrencyConflictError,
  type ConditionalWrite,
  commit,
  type Item,
  type ItemKey,
  idOf,
  type KnownItems,
  readItems,
  retryOnConflict,
  StoreBusyError,
} from '@millrace/event-store';
import { retry } from '@millrace/retry';
import { type Change, itemsToRead, marksOf, pendingChange, rowsAfter } from './change.ts';
import type { Projection } from './define-projection.ts';

/**
 * About as many as fit into the 1 MB of a page. The local DynamoDB reads all that is left of the table for a page without a
 * limit, so that a scan takes the square of the table.
 */
const ITEMS_PER_PAGE = 3_000;

/** DynamoDB deletes as many at once. */
const DELETES_PER_REQUEST = 25;

/** What a write has changed. */
export interface Written {
  /** The marks of the aggregates whose events were applied. */
  marks: readonly Item[];
  /** The events that were applied to at least one projection. */
  eventIds: ReadonlySet<string>;
}

/**
 * The rows of all versions of all projections of a service, in a table with `pk` and `sk`:
 *
 * | pk | sk | |
 * |---|---|---|
 * | `<projection>` | `POINTER` | which version is read, see pointers.ts |
 * | `<projection>` | `FENCE#<lane>` | the last rebuilder: no other one writes rows in transactions of this lane |
 * | `<projection>#<version>#ROW#<partition>` | the row's `sort` | `row`, and how many `events` are in it |
 * | `<projection>#<version>#MARK#<subject>` | `MARK` | which events of an aggregate are in, and where the last one went |
 */
export class ProjectionTable {
  readonly client: DocumentClient;
  readonly tableName: string;

  /** @param client made by `documentClient` of @millrace/aws */
  constructor(client: DocumentClient, tableName: string) {
    this.client = client;
    this.tableName = tableName;
  }

  /**
   * Reads what a change depends on, and writes it, again when others change the same items meanwhile.
   * @param change whose marks and rows are 100 items at most, 99 with a fence
   * @param fence must hold, or nothing is written
   * @returns as `write`
   * @throws SequenceGapError; ConcurrencyConflictError or StoreBusyError when others kept being faster; the fence's error
   */
  apply(change: Change, fence?: ConditionalWrite): Promise<Written> {
    return retryOnConflict(async () => this.write([change], await this.read(itemsToRead(change)), fence));
  }

  /**
   * As `apply`, of aggregates that are not in yet, most likely: what is there is only read when that proves wrong.
   * @param rowsToo whether their rows are supposed not to be there, either; they are when other aggregates share them
   * @returns whether it proved right
   */
  async applyFirst(change: Change, rowsToo: boolean, fence?: ConditionalWrite): Promise<boolean> {
    const supposed = rowsToo ? itemsToRead(change) : marksOf(change);
    try {
      await this.write([change], new Map(supposed.map((key) => [idOf(key), undefined])), fence);
      return true;
    } catch (error) {
      if (!(error instanceof ConcurrencyConflictError)) throw error;
      await this.apply(change, fence);
      return false;
    }
  }

  /** Reads items, each strongly consistent. */
  read(keys: readonly ItemKey[]): Promise<KnownItems> {
    return readItems(this.client, this.tableName, keys);
  }

  /**
   * Writes what some changes come to in one transaction: events that are in already change nothing, and rows and marks are
   * written together on condition that none has changed, so that each event counts once, whoever else applies it meanwhile.
   * @param changes 100 items at most together
   * @param known what was read of `itemsToRead`; rows that were not guessed are read now
   * @param fence must hold, or nothing is written; it takes the place of one item
   * @returns nothing when all events were in
   * @throws SequenceGapError; ConcurrencyConflictError when an item is not as it is known; the fence's error; what `commit` throws
   */
  async write(changes: readonly Change[], known: KnownItems, fence?: ConditionalWrite): Promise<Written> {
    const pending = changes.map((change) => pendingChange(change, known));
    const rowKeys = pending.flatMap(({ steps }) => steps.map(({ row }) => row));
    const notGuessed = await this.read(rowKeys.filter((key) => !known.has(idOf(key))));
    const all: KnownItems = new Map([...known, ...notGuessed]);
    const marks = pending.flatMap((each) => each.marks);
    const items = [...marks, ...pending.flatMap((each) => rowsAfter(each, all))];
    if (items.length > 0) {
      // The fence comes first: that it fell explains every other condition that does not hold.
      await commit(this.client, [
        ...(fence ? [fence] : []),
        ...items.map((item) => this.#put(item, all.get(idOf(item)))),
      ]);
    }
    const steps = pending.flatMap((each) => each.steps);
    return { marks, eventIds: new Set(steps.map(({ event }) => event.metadata.id)) };
  }

  /**
   * Deletes what a projection has of the versions before this one. Never of a later one: whoever deletes may have stalled
   * since this version became the live one, and another rebuild may have made a new one.
   * @param onPage is called before the rows of each page are deleted; what it throws ends it
   * @returns how many items were deleted
   */
  async deleteBefore(
    { name }: Pick<Projection, 'name'>,
    version: number,
    onPage: () => Promise<void> = async () => {},
  ): Promise<number> {
    let deleted = 0;
    const pages = paginateScan(this.client, {
      TableName: this.tableName,
      Limit: ITEMS_PER_PAGE,
      // Text knows no order of numbers: this leaves the live rows out, and the numbers are compared below.
      FilterExpression: 'begins_with(pk, :projection) AND NOT begins_with(pk, :version)',
      ProjectionExpression: 'pk, sk',
      ExpressionAttributeValues: { ':projection': `${name}#`, ':version': `${name}#${version}#` },
    });
    for await (const { Items = [] } of pages) {
      const keys = (Items as ItemKey[]).filter(({ pk }) => Number(pk.slice(name.length + 1).split('#')[0]) < version);
      if (keys.length > 0) await onPage();
      for (let start = 0; start < keys.length; start += DELETES_PER_REQUEST) {
        await this.#delete(keys.slice(start, start + DELETES_PER_REQUEST));
      }
      deleted += keys.length;
    }
    return deleted;
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

  /** @throws StoreBusyError when DynamoDB kept leaving some of them */
  async #delete(keys: readonly ItemKey[]): Promise<void> {
    let left = keys.map((Key) => ({ DeleteRequest: { Key } }));
    const attempt = async () => {
      const { UnprocessedItems } = await this.client.send(
        new BatchWriteCommand({ RequestItems: { [this.tableName]: left } }),
      );
      left = (UnprocessedItems?.[this.tableName] ?? []) as typeof left;
      if (left.length > 0) throw new StoreBusyError('UnprocessedItems');
    };
    await retry(attempt, { isRetryable: (error) => error instanceof StoreBusyError });
  }
}
