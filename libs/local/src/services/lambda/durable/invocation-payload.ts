import { type Execution, type Operation, type OperationRecord, withDates } from './execution-state.ts';

/** Of the operations that go with an invocation, or with an answer. The rest is on further pages. */
const PAGE_BYTES = 5 * 1024 * 1024;

/** A part of the state, and where the next one begins. */
export interface StatePage {
  Operations: Operation[];
  NextMarker?: string | undefined;
}

/**
 * The operations that a replay needs: without those of contexts that have ended, unless these are to be replayed.
 * https://docs.aws.amazon.com/lambda/latest/api/API_ContextOptions.html
 */
export function replayedOperations(records: Iterable<OperationRecord>): Operation[] {
  const kept: Operation[] = [];
  const closed = new Set<string>();
  for (const { operation } of records) {
    const { Id, ParentId, Type, Status, ContextDetails } = operation;
    const isHidden = ParentId !== undefined && closed.has(ParentId);
    if (!isHidden) kept.push(operation);
    const hasEnded = Type === 'CONTEXT' && (Status === 'SUCCEEDED' || Status === 'FAILED');
    if (isHidden || (hasEnded && ContextDetails?.ReplayChildren !== true)) closed.add(Id);
  }
  return kept;
}

/** The items that a page takes: as many as were asked for, or as many as an answer has room for. */
export function fitPage<T>(items: readonly T[], limit: number): T[] {
  const page: T[] = [];
  let bytes = 0;
  for (const item of items.slice(0, limit)) {
    bytes += Buffer.byteLength(JSON.stringify(item));
    if (bytes > PAGE_BYTES && page.length > 0) break;
    page.push(item);
  }
  return page;
}

/** As many operations as a page takes. */
export function pageOf(operations: readonly Operation[], from: number, limit: number): StatePage {
  const page = fitPage(operations.slice(from), limit);
  const next = from + page.length;
  return { Operations: page.map(withDates), NextMarker: next < operations.length ? String(next) : undefined };
}

/**
 * What a function is invoked with, as the SDKs read it.
 * @param updated ids of the operations that have changed since the last invocation
 */
export function invocationPayload(
  { arn }: Pick<Execution, 'arn'>,
  token: string,
  operations: readonly Operation[],
  updated: readonly string[],
): string {
  const [first] = operations;
  // An input that fills an invocation alone is asked for, as are the operations that do not fit.
  const isLarge = first !== undefined && Buffer.byteLength(JSON.stringify(first)) > PAGE_BYTES;
  const InitialExecutionState = isLarge
    ? { Operations: [], NextMarker: '0' }
    : pageOf(operations, 0, operations.length);
  return JSON.stringify({
    DurableExecutionArn: arn,
    CheckpointToken: token,
    InitialExecutionState,
    UpdatedOperationIds: updated,
  });
}
