import { AwsError } from '../../core/aws-error.ts';
import { type Input, optionalInteger, optionalString } from './request-parameters.ts';

const maximumLimit = 100;

export interface Page<Item> {
  readonly items: readonly Item[];
  /** What to answer beside the items: the token of the next page, if there is one. */
  readonly next: { readonly NextToken?: string };
}

/**
 * Cuts one page out of a list, by the parameters Limit (1–100, default 100) and NextToken of the list operations.
 * @param nameOf the unique name by which the items are ordered
 * @throws AwsError ValidationException for a bad Limit or a token that came from no earlier page.
 */
export function page<Item>(all: Iterable<Item>, nameOf: (item: Item) => string, input: Input): Page<Item> {
  const limit = optionalInteger(input, 'Limit', 1, maximumLimit) ?? maximumLimit;
  const token = optionalString(input, 'NextToken', { maximumLength: 2048 });
  const after = token === undefined ? undefined : readToken(token);
  const remaining = [...all]
    .filter((item) => after === undefined || nameOf(item) > after)
    .sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
  const items = remaining.slice(0, limit);
  const last = items.at(-1);
  return { items, next: last !== undefined && remaining.length > limit ? { NextToken: writeToken(nameOf(last)) } : {} };
}

function writeToken(lastName: string): string {
  return Buffer.from(JSON.stringify({ after: lastName })).toString('base64url');
}

function readToken(token: string): string {
  try {
    const { after } = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (typeof after === 'string') return after;
  } catch {
    // Falls through: not one of ours.
  }
  throw new AwsError('ValidationException', 'Parameter NextToken is not valid.');
}
