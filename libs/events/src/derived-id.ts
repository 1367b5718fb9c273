import { createHash } from 'node:crypto';

/**
 * An id that follows from what it is the id of: made again of the same parts it is the same, and of other parts another one.
 * It is a UUID of version 8.
 * https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
 *
 * @param parts JSON; begin with a text that tells what the id is for
 * @example derivedId(['partner-order', 'acme', 'A-1001']) // the same in every process
 */
export function derivedId(parts: readonly unknown[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest();
  // The version (8) and the variant (binary 10) have their places, the rest is the digest.
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x80;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  return digest.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
