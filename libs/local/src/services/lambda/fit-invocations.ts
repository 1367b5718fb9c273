import { PAYLOAD_LIMIT_BYTES } from './function-pool.ts';

/**
 * Splits records, in order, into as many events `{"Records":[…]}` as the 6 MB limit of an invocation asks for.
 *
 * @param eventOf what the function gets of a record
 * @param reserved bytes that the events have beside their records
 */
export function fitInvocations<R>(records: R[], eventOf: (record: R) => object, reserved = 0): R[][] {
  // However large it is, it cannot be split.
  if (records.length === 1) return [records];
  const batches: R[][] = [];
  let room = 0;
  for (const record of records) {
    const bytes = Buffer.byteLength(JSON.stringify(eventOf(record))) + 1;
    const batch = batches.at(-1);
    if (batch && bytes <= room) {
      batch.push(record);
      room -= bytes;
    } else {
      batches.push([record]);
      room = PAYLOAD_LIMIT_BYTES - '{"Records":[]}'.length - reserved - bytes;
    }
  }
  return batches;
}
