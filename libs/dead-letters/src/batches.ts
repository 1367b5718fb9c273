import { sqsLimits } from '@millrace/events/aws-limits';

/** Entries of one batch call of SQS. */
export const MAX_BATCH_ENTRIES = sqsLimits.batchEntries;
/** Bytes of bodies and attributes in one message, and in all messages of one call. */
export const MAX_BATCH_BYTES = sqsLimits.messageBytes;

/**
 * Cuts items into batches, in order. An item that is too large by itself stands alone: its service says what is wrong.
 *
 * @param sizeOf in the unit of `maxSize`
 * @param keyOf items of one key never share a batch, where it is given
 */
export function batches<Item>(
  items: readonly Item[],
  {
    maxCount,
    maxSize = Number.POSITIVE_INFINITY,
    sizeOf = () => 0,
    keyOf,
  }: {
    maxCount: number;
    maxSize?: number;
    sizeOf?: (item: Item) => number;
    keyOf?: ((item: Item) => string) | undefined;
  },
): Item[][] {
  const result: Item[][] = [];
  let batch: Item[] = [];
  let size = 0;
  let keys = new Set<string>();
  for (const item of items) {
    const itemSize = sizeOf(item);
    const key = keyOf?.(item);
    if (
      batch.length > 0 &&
      (batch.length === maxCount || size + itemSize > maxSize || (key !== undefined && keys.has(key)))
    ) {
      result.push(batch);
      batch = [];
      size = 0;
      keys = new Set();
    }
    batch.push(item);
    size += itemSize;
    if (key !== undefined) keys.add(key);
  }
  if (batch.length > 0) result.push(batch);
  return result;
}
