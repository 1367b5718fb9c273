import { createHash } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { UnreadableEventError } from './errors.ts';
import type { PayloadStore } from './payload-store.ts';

/**
 * Texts above this many bytes are compressed. Below it an item stays readable in the console, and a write costs at most
 * four units. zstd makes a quarter of 3 KB of order JSON and a sixth of 50 KB, in a third of gzip's time; brotli is
 * smaller by a tenth to a sixth, only at a quality that takes hundreds of times as long.
 */
const COMPRESS_ABOVE = 4096;

/**
 * Compressed bytes that one item may hold. DynamoDB allows 400 KB with the rest of it: at most 4 KB of event and of
 * outbox as plain text, which can count double as a map, ids and names.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
 */
export const PACKED_BYTES_PER_ITEM = 360 * 1024;

/** The same for a transaction: it may hold 4 MB, and up to 100 items have a rest. */
const PACKED_BYTES_PER_TRANSACTION = 2.5 * 1024 * 1024;

/** A large text as an item holds it: compressed, or by the key of its compressed bytes in the payload store. */
export type Packed = { zstd: Uint8Array } | { key: string };

/** A compressed text on its way into an item. */
export interface Part {
  bytes: Uint8Array;
  /** Which item of the transaction it belongs to. */
  item: number;
}

/** The compressed text, or undefined for one that is small enough to stay as it is. */
export function compressed(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text);
  return bytes.byteLength > COMPRESS_ABOVE ? zstdCompressSync(bytes) : undefined;
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
  const bytes = 'key' in packed ? await fetchPayload(packed.key, payloads, where) : packed.zstd;
  try {
    return zstdDecompressSync(bytes).toString();
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
