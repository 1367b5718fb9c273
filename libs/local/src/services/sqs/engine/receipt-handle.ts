/** What a receipt handle says: which receive of which message in which queue it is. */
export interface Receipt {
  readonly queueUid: number;
  readonly messageUid: number;
  /** How often the message had been received then. */
  readonly receives: number;
}

/** Longest handle that could be one of ours. */
const MAX_LENGTH = 1024;

/**
 * Makes a receipt handle. It needs no memory of its own, so it is valid after a restart.
 * @example createReceiptHandle({ queueUid: 1, messageUid: 2, receives: 1 })
 */
export function createReceiptHandle(receipt: Receipt): string {
  const { queueUid, messageUid, receives } = receipt;
  return Buffer.from(`${queueUid}:${messageUid}:${receives}:${checksum(receipt)}`, 'latin1').toString('base64');
}

/** @returns undefined for text that is not a receipt handle */
export function readReceiptHandle(handle: string): Receipt | undefined {
  if (handle.length > MAX_LENGTH) return undefined;
  const [queueUid, messageUid, receives] = Buffer.from(handle, 'base64').toString('latin1').split(':').map(Number);
  if (queueUid === undefined || messageUid === undefined || receives === undefined) return undefined;
  const receipt = { queueUid, messageUid, receives };
  return createReceiptHandle(receipt) === handle ? receipt : undefined;
}

/** FNV-1a over the numbers: tells a handle from invented text. It is not a secret. */
function checksum({ queueUid, messageUid, receives }: Receipt): number {
  let hash = mix(0x811c9dc5, queueUid);
  hash = mix(hash, messageUid);
  return mix(hash, receives) >>> 0;
}

/** Takes in both halves of a number of up to 53 bits. */
function mix(hash: number, number: number): number {
  const low = Math.imul(hash ^ (number >>> 0), 0x01000193);
  return Math.imul(low ^ Math.floor(number / 2 ** 32), 0x01000193);
}
