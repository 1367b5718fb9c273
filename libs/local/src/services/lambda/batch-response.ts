/**
 * Reads what a function with ReportBatchItemFailures answered.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
 * @param payload the answer as JSON
 * @param known the identifiers of the batch's records
 * @returns the identifiers that failed, or 'all' when the answer cannot be relied on
 */
export function failedItems(payload: string, known: ReadonlySet<string>): Set<string> | 'all' {
  if (payload === '') return new Set();
  let response: unknown;
  try {
    response = JSON.parse(payload);
  } catch {
    return 'all';
  }
  if (response === null) return new Set();
  if (typeof response !== 'object' || Array.isArray(response)) return 'all';
  const failures = (response as { batchItemFailures?: unknown }).batchItemFailures ?? [];
  if (!Array.isArray(failures)) return 'all';
  const failed = new Set<string>();
  for (const failure of failures as ({ itemIdentifier?: unknown } | null)[]) {
    const identifier = failure?.itemIdentifier;
    if (typeof identifier !== 'string' || !known.has(identifier)) return 'all';
    failed.add(identifier);
  }
  return failed;
}
