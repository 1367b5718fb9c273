import type { Shard } from './stream.ts';

/**
 * Makes the sequence number of a record: 56 digits, as AWS's have. As a number it grows within a shard, and from a shard to those that
 * come from it. The position of the record can be read from it.
 *
 * @param position of the record in its shard; 0 is the shard's start, before the first record
 * @param time milliseconds since the epoch
 */
export function sequenceNumber({ index, second }: Pick<Shard, 'index' | 'second'>, position: number, time = 0): string {
  const parts = [
    '2',
    hex(second, 9),
    (index % 16).toString(16),
    hex(position, 16),
    '00',
    hex(Math.max(second, Math.floor(time / 1000)), 9),
    hex(index, 8),
    '2',
  ];
  return BigInt(`0x${parts.join('')}`).toString();
}

/** Reads a sequence number. @returns undefined for what is not one */
export function readSequenceNumber(text: string): { index: number; second: number; position: number } | undefined {
  if (!/^\d{56}$/.test(text)) return undefined;
  const digits = BigInt(text).toString(16);
  const [, second, low, position, index] = /^2(.{9})(.)(.{16})00.{9}(.{8})2$/.exec(digits) ?? [];
  if (second === undefined || position === undefined || index === undefined) return undefined;
  const number = Number.parseInt(index, 16);
  if (number % 16 !== Number.parseInt(low ?? '', 16)) return undefined;
  return { index: number, second: Number.parseInt(second, 16), position: Number.parseInt(position, 16) };
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
