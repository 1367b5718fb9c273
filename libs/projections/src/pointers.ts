import { type DocumentClient, PutCommand } from '@millrace/aws';
import {
  type ConditionalWrite,
  commit,
  type ItemKey,
  idOf,
  type KnownItems,
  readItems,
  type ScanPosition,
} from '@millrace/event-store';
import { RebuildTakenOverError } from './errors.ts';

/**
 * Transactions that a rebuilder has under way at once. Each lane has a fence of its own: DynamoDB cancels transactions that
 * overlap in an item, and be it one that they only check.
 */
export const LANES = 4;

/** Which versions of a projection there are. */
export interface Pointer {
  /** The version that is read. */
  live: number;
  /** The version that is being built. Consumers write it as well. */
  building?: Building;
  /** There may be rows of versions that nobody reads any more. */
  retiring?: true;
  /** Who is rebuilding it. */
  rebuilder?: Rebuilder;
}

/** Of a projection that has none stored. */
export const firstPointer: Pointer = { live: 1 };

/** A version on its way. */
export interface Building {
  version: number;
  /** Into how many segments the event store is divided. */
  segments: number;
  /** How far each segment is; a segment without an entry has not been started. */
  checkpoints: Readonly<Record<string, Checkpoint>>;
  /** Items of the event store that were looked at. */
  scanned: number;
}

/** Everything up to here is in; `done`: everything. */
export type Checkpoint = { after: ScanPosition } | { done: true };

export interface Rebuilder {
  id: string;
  /** Goes up while the rebuilder lives. */
  beat: number;
}

/**
 * The pointers of a service's projections, and the fences beside them. Only a rebuilder changes one, and each change is one
 * write.
 */
export class Pointers {
  readonly #client: DocumentClient;
  readonly #tableName: string;

  constructor({ client, tableName }: { client: DocumentClient; tableName: string }) {
    this.#client = client;
    this.#tableName = tableName;
  }

  /** Reads the pointers of some projections, strongly consistent: who works by an older one could miss a rebuild. */
  async read(names: readonly string[]): Promise<Pointer[]> {
    const items = await readItems(this.#client, this.#tableName, names.map(pointerKey));
    return names.map((name) => pointerAmong(items, name));
  }

  /** The version of a projection that is read. */
  async live(name: string): Promise<number> {
    const [pointer] = await this.read([name]);
    return pointer?.live ?? 1;
  }

  /**
   * Replaces a pointer in one write, if it is still the `expected` rebuilder's (undefined: nobody's).
   * @param expected without `beat`: whatever the beat
   * @returns whether it did
   */
  async replace(
    name: string,
    pointer: Pointer,
    expected: (Pick<Rebuilder, 'id'> & Partial<Rebuilder>) | undefined,
  ): Promise<boolean> {
    const { id, beat } = expected ?? {};
    const condition =
      id === undefined
        ? { ConditionExpression: 'attribute_not_exists(#pointer.#rebuilder)' }
        : {
            ConditionExpression: `#pointer.#rebuilder.#id = :id${beat === undefined ? '' : ' AND #pointer.#rebuilder.#beat = :beat'}`,
            ExpressionAttributeValues: { ':id': id, ...(beat === undefined ? {} : { ':beat': beat }) },
          };
    try {
      await this.#client.send(
        new PutCommand({
          TableName: this.#tableName,
          Item: { ...pointerKey(name), pointer },
          ...condition,
          ExpressionAttributeNames: {
            '#pointer': 'pointer',
            '#rebuilder': 'rebuilder',
            ...(id === undefined ? {} : { '#id': 'id' }),
            ...(beat === undefined ? {} : { '#beat': 'beat' }),
          },
        }),
      );
      return true;
    } catch (error) {
      if ((error as Error).name !== 'ConditionalCheckFailedException') throw error;
      return false;
    }
  }

  /**
   * Makes a rebuilder the only one whose fences hold. Repeating it changes nothing.
   * @throws RebuildTakenOverError when the pointer is not its own any more
   */
  async raiseFences(name: string, rebuilder: string): Promise<void> {
    const check: ConditionalWrite = {
      write: {
        ConditionCheck: {
          TableName: this.#tableName,
          Key: pointerKey(name),
          ConditionExpression: '#pointer.#rebuilder.#id = :rebuilder',
          ExpressionAttributeNames: { '#pointer': 'pointer', '#rebuilder': 'rebuilder', '#id': 'id' },
          ExpressionAttributeValues: { ':rebuilder': rebuilder },
        },
      },
      onConditionFailed: () => new RebuildTakenOverError(name),
    };
    const fences = Array.from({ length: LANES }, (_, lane): ConditionalWrite => {
      return { write: { Put: { TableName: this.#tableName, Item: { ...fenceKey(name, lane), rebuilder } } } };
    });
    await commit(this.#client, [check, ...fences]);
  }

  /** The write that fails, with RebuildTakenOverError, unless the fence of a lane is this rebuilder's. */
  fence(name: string, lane: number, rebuilder: string): ConditionalWrite {
    return {
      write: {
        ConditionCheck: {
          TableName: this.#tableName,
          Key: fenceKey(name, lane),
          ConditionExpression: '#rebuilder = :rebuilder',
          ExpressionAttributeNames: { '#rebuilder': 'rebuilder' },
          ExpressionAttributeValues: { ':rebuilder': rebuilder },
        },
      },
      onConditionFailed: () => new RebuildTakenOverError(name),
    };
  }
}

function fenceKey(name: string, lane: number): ItemKey {
  return { pk: name, sk: `FENCE#${lane}` };
}

export function pointerKey(name: string): ItemKey {
  return { pk: name, sk: 'POINTER' };
}

/** The pointer of a projection among items that were read. */
export function pointerAmong(items: KnownItems, name: string): Pointer {
  return items.get(idOf(pointerKey(name)))?.pointer ?? firstPointer;
}
