import { isUnavailable } from '@millrace/errors';

/**
 * Settles many requests with as few transactions as possible, and says of each what became of it.
 *
 * `run` settles all requests that it is given, in one transaction, or none of them. When it fails, the requests are divided
 * in two and each half is tried in turn, until the one that cannot be settled is alone: it fails, and the others succeed. So
 * is a batch that does not fit into one transaction. When the store is unavailable nothing is divided, because more requests
 * would not help: all of them fail.
 *
 * @param requests in the order in which they are to be settled
 * @returns for each request its error, or undefined when it is settled
 * @example
 * const errors = await settleTogether(orders, (some) => retryOnConflict(() => warehouse.reserve(some)));
 */
export async function settleTogether<Request>(
  requests: readonly Request[],
  run: (requests: readonly Request[]) => Promise<void>,
): Promise<(Error | undefined)[]> {
  if (requests.length === 0) return [];
  try {
    await run(requests);
    return requests.map(() => undefined);
  } catch (reason) {
    const error =
      reason instanceof Error ? reason : new Error('Something was thrown that is not an error', { cause: reason });
    if (requests.length === 1 || isUnavailable(error)) return requests.map(() => error);
    const middle = Math.ceil(requests.length / 2);
    const first = await settleTogether(requests.slice(0, middle), run);
    return [...first, ...(await settleTogether(requests.slice(middle), run))];
  }
}
