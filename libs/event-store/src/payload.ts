import { createHash } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { UnreadableEventError } from './errors.ts';
import { dictionaries, LATEST } from './payload-dictionary.ts';
import type { PayloadStore } from './payload-store.ts';

/**
 * Texts above this many bytes are compressed. A write costs a unit for each KB, twice in a transaction, and the row of an
 * event with its order has 2.5 KB as plain text. Below it there is little to gain, and the item stays readable in the console.
 */
const COMPRESS_ABOVE = 256;

/**
 * Texts up to this many bytes are compressed with the dictionary: they are too short to repeat much, but have much in common
 * with other events. With it zstd makes 0.35 KB of 1.1 KB of order JSON, and 0.7 KB without it. Larger ones may become objects of
 * a payload store, which any zstd tool should be able to read; of 3 KB it makes a quarter all the same, of 50 KB a sixth, in a third of
 * gzip's time.
 */
const DICTIONARY_UP_TO = 4096;

/**
 * Compressed bytes that one item may hold. DynamoDB allows 400 KB with the rest of it: at most 4 KB of event and of
 * outbox as plain text, which can count double as a map, ids and names.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
 */
export const PACKED_BYTES_PER_ITEM = 360 * 1024;

/** The same for a transaction: it may hold 4 MB, and up to 100 items have a rest. */
const PACKED_BYTES_PER_TRANSACTION = 2.5 * 1024 * 1024;

/**
 * A text as an item holds it: compressed, with a dictionary of that number if it is a short one, or by the key of its compressed
 * bytes in the payload store.
 */
export type Packed = Compressed | { key: string };

/** A compressed text, and the number of the dictionary that it was compressed with, if any. */
export interface Compressed {
  zstd: Uint8Array;
  dictionary?: number | undefined;
}

/** A compressed text on its way into an item. */
export interface Part {
  bytes: Uint8Array;
  /** Which item of the transaction it belongs to. */
  item: number;
}

/** The compressed text, or undefined for one that is short. */
export function compressed(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text);
  return bytes.byteLength > DICTIONARY_UP_TO ? zstdCompressSync(bytes) : undefined;
}

/** A short text by the dictionary; undefined for one that is so short that it stays as it is, and for a large one. */
export function shortened(text: string): Packed | undefined {
  const { byteLength } = Buffer.from(text);
  return byteLength > COMPRESS_ABOVE && byteLength <= DICTIONARY_UP_TO ? compress(text) : undefined;
}

/**
 * Any text compressed, by the dictionary where that is worth it.
 * @example const { zstd, dictionary } = compress(JSON.stringify(event)); decompress({ zstd, dictionary }, `Event ${id}`);
 */
export function compress(text: string): Compressed {
  const bytes = Buffer.from(text);
  if (bytes.byteLength > DICTIONARY_UP_TO) return { zstd: zstdCompressSync(bytes) };
  return { zstd: zstdCompressSync(bytes, { dictionary: dictionaries[LATEST] }), dictionary: LATEST };
}

/** The parts that must go to the payload store so that every item and the whole transaction fit, the largest first. */
export function oversized<P extends Part>(parts: readonly P[]): P[] {
  const inItem = new Map<number, number>();
  let inTransaction = 0;
  for (const { item, bytes } of parts) {
    inItem.set(item, (inItem.get(item) ?? 0) + bytes.byteLength);
    inTransaction += bytes.byteLength;
  }
  return parts
    .toSorted((a, b) => b.bytes.byteLength - a.bytes.byteLength)
    .filter(({ item, bytes }) => {
      const size = inItem.get(item) ?? 0;
      if (size <= PACKED_BYTES_PER_ITEM && inTransaction <= PACKED_BYTES_PER_TRANSACTION) return false;
      inItem.set(item, size - bytes.byteLength);
      inTransaction -= bytes.byteLength;
      return true;
    });
}

/**
 * The key of an object: its stream, so that a stream can be removed with its objects, and the SHA-256 of its bytes.
 * Of the stream id only characters are left that S3 calls safe.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 */
export function payloadKey(streamId: string, bytes: Uint8Array): string {
  return `${encodeURIComponent(streamId).replaceAll('%', '=')}/${sha256(bytes)}`;
}

/**
 * The text that was packed.
 * @param where names stream and version, for the error
 * @throws UnreadableEventError when the object is missing or not what was stored, or there is no store to look in.
 */
export async function unpack(packed: Packed, payloads: PayloadStore | undefined, where: string): Promise<string> {
  return decompress('key' in packed ? { zstd: await fetchPayload(packed.key, payloads, where) } : packed, where);
}

/** As `unpack`, of a text that an item holds itself. @throws UnreadableEventError */
export function decompress({ zstd, dictionary: number }: Compressed, where: string): string {
  const dictionary = number === undefined ? undefined : dictionaries[number];
  if (number !== undefined && !dictionary) {
    const reason = `it was compressed with dictionary ${number}, which this version of the code does not know`;
    throw new UnreadableEventError('PAYLOAD_CORRUPT', where, reason);
  }
  try {
    return zstdDecompressSync(zstd, dictionary && { dictionary }).toString();
  } catch (cause) {
    throw new UnreadableEventError('PAYLOAD_CORRUPT', where, 'its content cannot be decompressed', { cause });
  }
}

async function fetchPayload(key: string, payloads: PayloadStore | undefined, where: string): Promise<Uint8Array> {
  if (!payloads) {
    const reason = `its content is the object ${key}; give this reader the payload store of its writer`;
    throw new UnreadableEventError('PAYLOAD_STORE_MISSING', where, reason);
  }
  const bytes = await payloads.get(key);
  if (!bytes) {
    throw new UnreadableEventError('PAYLOAD_MISSING', where, `the payload store has no object ${key}`);
  }
  if (sha256(bytes) !== key.split('/').at(-1)) {
    throw new UnreadableEventError('PAYLOAD_CORRUPT', where, `the object ${key} has another checksum than its name`);
  }
  return bytes;
}

/** In lower-case hexadecimal digits. */
export function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}
