import { invalidParameter } from '../errors.ts';
import { sqsLimits } from '../limits.ts';

/**
 * One page of a sorted list. The token is the last name of the page before.
 *
 * @returns all that fit, and no token, when the caller does not say how many
 * @throws AwsError InvalidParameterValueException
 */
export function pageOf<Item extends { name: string }>(
  items: readonly Item[],
  { MaxResults, NextToken }: { MaxResults?: number | undefined; NextToken?: string | undefined },
): { items: readonly Item[]; NextToken?: string } {
  const { listedQueues } = sqsLimits;
  if (MaxResults !== undefined && (MaxResults < 1 || MaxResults > listedQueues)) {
    throw invalidParameter('MaxResults', MaxResults, `MaxResults must be an integer between 1 and ${listedQueues}.`);
  }
  const after = NextToken === undefined ? undefined : readToken(NextToken);
  const rest = after === undefined ? items : items.filter(({ name }) => name > after);
  const page = rest.slice(0, MaxResults ?? listedQueues);
  const last = page.at(-1);
  if (MaxResults === undefined || last === undefined || page.length === rest.length) return { items: page };
  return { items: page, NextToken: Buffer.from(JSON.stringify({ after: last.name })).toString('base64') };
}

function readToken(token: string): string {
  try {
    const { after } = JSON.parse(Buffer.from(token, 'base64').toString()) as { after?: unknown };
    if (typeof after === 'string') return after;
  } catch {
    // Not JSON: refused below.
  }
  throw invalidParameter('NextToken', token, 'It is not a token of an earlier answer.');
}
