/** https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html */
const STATE_LIMIT_BYTES = 1024 * 1024;
/** What an event needs for the state and the rest of a window. */
export const WINDOW_BYTES = STATE_LIMIT_BYTES + 1024;

/** A window that is open in a shard, as its checkpoint keeps it. */
export interface OpenWindow {
  /** Milliseconds since the epoch. */
  start: number;
  end: number;
  /** What the function has answered last. */
  state: unknown;
}

/** The window that a record belongs to, by the time it came into the stream. */
export function windowAt(arrivedAt: number, seconds: number): OpenWindow {
  const start = Math.floor(arrivedAt / (seconds * 1000)) * seconds * 1000;
  return { start, end: start + seconds * 1000, state: {} };
}

/** What an event has beside its records. */
export function windowMembers(
  { start, end, state }: OpenWindow,
  { shardId, streamArn }: { shardId: string; streamArn: string },
  { isFinal = false, isEarly = false }: { isFinal?: boolean; isEarly?: boolean } = {},
): object {
  return {
    window: { start: timeOf(start), end: timeOf(end) },
    state,
    shardId,
    eventSourceARN: streamArn,
    isFinalInvokeForWindow: isFinal,
    isWindowTerminatedEarly: isEarly,
  };
}

/** The state in an answer of a function. @returns undefined where there is none, which makes the invocation a failed one */
export function stateIn(payload: string): { state: unknown } | undefined {
  try {
    const answer = JSON.parse(payload) as { state?: unknown } | null;
    return answer?.state === undefined ? undefined : { state: answer.state };
  } catch {
    return undefined;
  }
}

/** True for a state that is more than a window can have: the window ends early then. */
export function isTooLarge(state: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(state)) > STATE_LIMIT_BYTES;
}

function timeOf(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}
