import type { Input } from '../../../core/access.ts';
import { AwsError } from '../../../core/aws-error.ts';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html */
const DEFAULT_SIZE = 100;

/** Where a page begins, and how many items it has. */
export interface PageRequest {
  readonly from: number;
  readonly size: number;
}

/**
 * Reads maxResults and nextToken.
 * @throws AwsError InvalidToken for a token that comes from no earlier page
 */
export function pageRequest({ maxResults, nextToken }: Input): PageRequest {
  const size = typeof maxResults === 'number' && maxResults > 0 ? maxResults : DEFAULT_SIZE;
  if (nextToken === undefined) return { from: 0, size };
  const from = Number(Buffer.from(String(nextToken), 'base64url').toString());
  if (!Number.isInteger(from) || from < 1) throw new AwsError('InvalidToken', "Invalid Token: 'Invalid token'");
  return { from, size };
}

/** Cuts a page out of a whole list. */
export function pageOf<Item>(items: readonly Item[], input: Input): { page: Item[]; nextToken?: string } {
  const { from, size } = pageRequest(input);
  const page = items.slice(from, from + size);
  return { page, ...(items.length > from + size ? nextPage(from + size) : {}) };
}

export function nextPage(from: number): { nextToken: string } {
  return { nextToken: Buffer.from(String(from)).toString('base64url') };
}
