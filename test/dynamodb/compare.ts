import { isDeepStrictEqual } from 'node:util';
import { type Answer, type Ask, areAlike, normalize } from './answers.ts';
import { type KnownDifference, knownDifferences } from './known-differences.ts';
import { type Operation, randomOperations } from './random-operations.ts';
import { tables } from './tables.ts';

/** One request that was not answered alike. */
export interface Difference {
  /** Of the request, counted from 1. */
  number: number;
  operation: Operation;
  ours: Answer;
  theirs: Answer;
}

export interface Comparison {
  operations: number;
  alike: number;
  /** Differences that AWS's documentation decides. */
  known: ReadonlyMap<KnownDifference, Difference[]>;
  unknown: readonly Difference[];
}

/** How often what the streams have is compared. */
const STREAM_EVERY = 50;

/**
 * Sends the same random requests to both, and compares what they answer, the items afterwards, and what their streams
 * have. After a difference the items that it is about are made alike again, so that each difference stands alone.
 *
 * @param seed the requests follow from it
 * @param onProgress told of each thousand
 */
export async function compare(
  ours: Ask,
  theirs: Ask,
  { seed, operations, onProgress }: { seed: number; operations: number; onProgress: (done: number) => void },
): Promise<Comparison> {
  for (const table of tables) for (const ask of [ours, theirs]) outputOf(await ask('CreateTable', table));
  const known = new Map<KnownDifference, Difference[]>();
  const unknown: Difference[] = [];
  const note = (difference: Difference): void => {
    const rule = knownDifferences.find((each) => each.applies(difference));
    if (rule) known.set(rule, [...(known.get(rule) ?? []), difference]);
    else unknown.push(difference);
  };
  const streams = await StreamComparison.start(ours, theirs);
  let number = 0;
  let alike = 0;
  for (const operation of randomOperations(seed, operations)) {
    number += 1;
    const answers = [
      await ours(operation.operation, operation.input),
      await theirs(operation.operation, operation.input),
    ];
    const [our, their] = answers as [Answer, Answer];
    if (areAlike(operation, our, their)) alike += 1;
    else note({ number, operation, ours: our, theirs: their });
    if (await makeAlike(operation, ours, theirs)) streams.spoil();
    if (number % STREAM_EVERY === 0) {
      const difference = await streams.compare();
      if (difference) note({ number, operation: { operation: 'GetRecords', input: {} }, ...difference });
    }
    if (number % 1000 === 0) onProgress(number);
  }
  for (const { TableName } of tables) {
    const operation = { operation: 'Scan', input: { TableName } };
    const [our, their] = [await ours('Scan', { TableName }), await theirs('Scan', { TableName })];
    if (!areAlike(operation, our, their)) note({ number, operation, ours: our, theirs: their });
  }
  return { operations: number, alike, known, unknown };
}

/** Gives theirs the items that ours has, where a write has made them differ. @returns whether one did */
async function makeAlike({ operation, input }: Operation, ours: Ask, theirs: Ask): Promise<boolean> {
  let differed = false;
  for (const { TableName, Key } of keysIn(operation, input)) {
    const get = { TableName, Key, ConsistentRead: true };
    const [our, their] = [await ours('GetItem', get), await theirs('GetItem', get)];
    if ('error' in our || 'error' in their) continue;
    if (isDeepStrictEqual(normalize(our.output.Item), normalize(their.output.Item))) continue;
    differed = true;
    if (our.output.Item) outputOf(await theirs('PutItem', { TableName, Item: our.output.Item }));
    else outputOf(await theirs('DeleteItem', { TableName, Key }));
  }
  return differed;
}

type Write = { TableName: string; Key?: Record<string, unknown>; Item?: Record<string, unknown> };

/** The keys that a request may have written to. */
function keysIn(
  operation: string,
  input: Record<string, unknown>,
): { TableName: string; Key: Record<string, unknown> }[] {
  const writes: Write[] = [];
  if (['PutItem', 'UpdateItem', 'DeleteItem'].includes(operation)) writes.push(input as unknown as Write);
  if (operation === 'TransactWriteItems') {
    for (const action of input.TransactItems as Record<string, Write>[]) writes.push(...Object.values(action));
  }
  if (operation === 'BatchWriteItem') {
    const requests = input.RequestItems as Record<string, Record<string, Omit<Write, 'TableName'>>[]>;
    for (const [TableName, each] of Object.entries(requests)) {
      for (const request of each) for (const write of Object.values(request)) writes.push({ TableName, ...write });
    }
  }
  return writes.map(({ TableName, Key, Item = {} }) => {
    const names = tables.find((table) => table.TableName === TableName)?.KeySchema ?? [];
    const { pk, sk } = Item as { pk?: unknown; sk?: unknown };
    return { TableName, Key: Key ?? (names.length > 1 ? { pk, sk } : { pk }) };
  });
}

/** Compares what the streams of both have, a piece at a time. */
class StreamComparison {
  readonly #sides: readonly { ask: Ask; iterators: (string | undefined)[] }[];
  #isSpoilt = false;

  private constructor(sides: readonly { ask: Ask; iterators: (string | undefined)[] }[]) {
    this.#sides = sides;
  }

  static async start(...asks: Ask[]): Promise<StreamComparison> {
    const sides = [];
    for (const ask of asks) {
      const iterators: string[] = [];
      for (const { TableName } of tables.filter((table) => 'StreamSpecification' in table)) {
        const { Table } = outputOf(await ask('DescribeTable', { TableName })) as { Table: { LatestStreamArn: string } };
        const StreamArn = Table.LatestStreamArn;
        const { StreamDescription } = outputOf(await ask('DescribeStream', { StreamArn })) as {
          StreamDescription: { Shards: { ShardId: string }[] };
        };
        const ShardId = StreamDescription.Shards[0]?.ShardId;
        const start = { StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
        iterators.push(String(outputOf(await ask('GetShardIterator', start)).ShardIterator));
      }
      sides.push({ ask, iterators });
    }
    return new StreamComparison(sides);
  }

  /** What has come since cannot be compared: items were made alike. */
  spoil(): void {
    this.#isSpoilt = true;
  }

  /** @returns the records, when they differ */
  async compare(): Promise<Pick<Difference, 'ours' | 'theirs'> | undefined> {
    const [ours, theirs] = [await this.#read(0), await this.#read(1)];
    const isSpoilt = this.#isSpoilt;
    this.#isSpoilt = false;
    if (isSpoilt || isDeepStrictEqual(ours, theirs)) return undefined;
    return { ours: { output: { Records: ours } }, theirs: { output: { Records: theirs } } };
  }

  async #read(which: number): Promise<unknown[]> {
    const side = this.#sides[which];
    const records: unknown[] = [];
    for (const [index, iterator] of (side?.iterators ?? []).entries()) {
      if (!side || iterator === undefined) continue;
      const { Records, NextShardIterator } = outputOf(await side.ask('GetRecords', { ShardIterator: iterator }));
      side.iterators[index] = NextShardIterator as string | undefined;
      for (const { eventName, dynamodb } of Records as { eventName: string; dynamodb: Record<string, unknown> }[]) {
        // Without SizeBytes: AWS does not say how it is counted.
        const { Keys, OldImage, NewImage, StreamViewType } = dynamodb;
        records.push(normalize({ eventName, Keys, OldImage, NewImage, StreamViewType }));
      }
    }
    return records;
  }
}

function outputOf(answer: Answer): Record<string, unknown> {
  if ('output' in answer) return answer.output;
  throw new Error(`${answer.error.name}: ${answer.error.message}`);
}
