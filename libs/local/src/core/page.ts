import type { Input } from './access.ts';
import { AwsError } from './aws-error.ts';

const DEFAULT_SIZE = 100;

/**
 * Cuts a page out of a list that is ordered by a key.
 *
 * @param input with MaxResults and NextToken, as the list operations have them
 * @throws AwsError ValidationException for a token that comes from no earlier page
 */
export function pageOf<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  { MaxResults, NextToken }: Input,
): { page: Item[]; NextToken?: string } {
  const after = NextToken === undefined ? undefined : readToken(String(NextToken));
  const rest = after === undefined ? items : items.filter((item) => keyOf(item) > after);
  const page = rest.slice(0, Number(MaxResults ?? DEFAULT_SIZE));
  const last = page.at(-1);
  if (last === undefined || page.length === rest.length) return { page };
  return { page, NextToken: Buffer.from(JSON.stringify([keyOf(last)])).toString('base64url') };
}

function readToken(token: string): string {
  try {
    const [after] = JSON.parse(Buffer.from(token, 'base64url').toString()) as unknown[];
    if (typeof after === 'string') return after;
  } catch {
    // Falls through: not one of ours.
  }
  throw new AwsError('ValidationException', 'Invalid NextToken.');
}
