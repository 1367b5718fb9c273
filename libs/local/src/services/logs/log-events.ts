import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import type { Clock } from '../../core/clock.ts';
import { parseFilterPattern } from './filter/index.ts';
import { check, invalid, type LogGroups } from './log-groups.ts';
import {
  EVENT_OVERHEAD_BYTES,
  type EventPosition,
  type LogEvent,
  type LogGroup,
  type LogStore,
  type StoredEvent,
} from './log-store.ts';
import * as shapes from './shapes.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
const MAX_BATCH_BYTES = 1_048_576;
const FURTHEST_AHEAD_MS = 2 * HOUR_MS;
const FURTHEST_BACK_MS = 14 * DAY_MS;
const LONGEST_SPAN_MS = DAY_MS;

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html */
const DEFAULT_LIMIT = 10_000;
const MAX_PAGE_BYTES = 1_048_576;
/** How many events one request looks at: an answer may be empty and still have a next token. */
const MAX_SEARCHED = 50_000;

export interface LogEventsOptions {
  clock: Clock;
  /** Called with events that were stored. */
  onEvents: (groupName: string, events: readonly LogEvent[]) => void;
}

/** The operations on log events. */
export class LogEvents {
  readonly #store: LogStore;
  readonly #groups: LogGroups;
  readonly #options: LogEventsOptions;

  constructor(store: LogStore, groups: LogGroups, options: LogEventsOptions) {
    this.#store = store;
    this.#groups = groups;
    this.#options = options;
  }

  put(input: Input): object {
    check(shapes.putEvents, input);
    const group = this.#groups.require({ logGroupName: input.logGroupName });
    const { name } = this.#groups.requireStream(group, String(input.logStreamName));
    const events = input.logEvents as LogEvent[];
    checkBatch(events);
    const now = this.#options.clock.now();
    const rejected = rejectedIn(events, group, now);
    const {
      tooNewLogEventStartIndex: end = events.length,
      tooOldLogEventEndIndex = 0,
      expiredLogEventEndIndex = 0,
    } = rejected;
    const accepted = events.slice(Math.max(tooOldLogEventEndIndex, expiredLogEventEndIndex), end);
    if (accepted.length > 0) this.append(group.name, name, accepted);
    return {
      nextSequenceToken: '49039859602300000000000000000000000000000000000000000000',
      ...(Object.keys(rejected).length > 0 && { rejectedLogEventsInfo: rejected }),
    };
  }

  /** Stores events of a stream that is there. */
  append(groupName: string, streamName: string, events: readonly LogEvent[]): void {
    this.#store.append(groupName, streamName, events, this.#options.clock.now());
    this.#options.onEvents(groupName, events);
  }

  get(input: Input): object {
    check(shapes.getEvents, input);
    const group = this.#groups.require(input);
    const { name: streamName } = this.#groups.requireStream(group, String(input.logStreamName));
    const { startFromHead = false, limit = DEFAULT_LIMIT, nextToken } = input;
    const [, direction, position] = /^([fb])\/(.+)$/.exec(String(nextToken ?? '')) ?? [];
    const at = position === undefined ? undefined : readPosition(position);
    if (nextToken !== undefined && !at) throw invalid('The specified nextToken is invalid.');
    const isForward = at ? direction === 'f' : startFromHead === true;
    const found = this.#page(
      this.#store.events({
        groupName: group.name,
        streamName,
        from: this.#from(group, input),
        // Unlike with FilterLogEvents, the end time itself is not included.
        to: Number(input.endTime ?? Number.MAX_SAFE_INTEGER) - 1,
        ...(at && (isForward ? { after: at } : { before: at })),
        isDescending: !isForward,
      }),
      Number(limit),
    );
    const events = isForward ? found : found.toReversed();
    const here = at ?? { timestamp: isForward ? 0 : Number.MAX_SAFE_INTEGER, id: 0 };
    return {
      events: events.map(({ timestamp, message, ingestedAt }) => ({ timestamp, message, ingestionTime: ingestedAt })),
      // At the end the same token comes back.
      nextForwardToken: `f/${writePosition(events.at(-1) ?? here)}`,
      nextBackwardToken: `b/${writePosition(events[0] ?? here)}`,
    };
  }

  filter(input: Input): object {
    check(shapes.filterEvents, input);
    const group = this.#groups.require(input);
    const { logStreamNames, logStreamNamePrefix, filterPattern = '', limit = DEFAULT_LIMIT, nextToken } = input;
    if (logStreamNames !== undefined && logStreamNamePrefix !== undefined) {
      throw invalid('logStreamNames and logStreamNamePrefix are mutually exclusive parameters.');
    }
    const names = logStreamNames as string[] | undefined;
    for (const name of names ?? []) this.#groups.requireStream(group, name);
    const isMatch = parseFilterPattern(String(filterPattern));
    const isInStream = streamFilter(names, logStreamNamePrefix as string | undefined);
    const after = nextToken === undefined ? undefined : readPosition(String(nextToken));
    if (nextToken !== undefined && !after) throw invalid('The specified nextToken is invalid.');

    const found: StoredEvent[] = [];
    let bytes = 0;
    let searched = 0;
    const events = this.#store.events({
      groupName: group.name,
      streamName: names?.length === 1 ? names[0] : undefined,
      from: this.#from(group, input),
      to: Number(input.endTime ?? Number.MAX_SAFE_INTEGER - 1),
      after,
    });
    let next: EventPosition | undefined;
    for (const event of events) {
      searched += 1;
      if (isInStream(event.streamName) && isMatch(event.message)) {
        found.push(event);
        bytes += Buffer.byteLength(event.message) + EVENT_OVERHEAD_BYTES;
      }
      if (found.length >= Number(limit) || bytes >= MAX_PAGE_BYTES || searched >= MAX_SEARCHED) {
        next = event;
        break;
      }
    }
    return {
      events: found.map(({ streamName, timestamp, message, ingestedAt, id }) => ({
        logStreamName: streamName,
        timestamp,
        message,
        ingestionTime: ingestedAt,
        eventId: String(timestamp * 1e6).padStart(38, '3') + String(id).padStart(18, '0'),
      })),
      searchedLogStreams: [],
      ...(next && { nextToken: writePosition(next) }),
    };
  }

  /** Where the reading of a group begins: what has expired is not shown. */
  #from({ retentionInDays }: LogGroup, { startTime }: Input): number {
    const start = Number(startTime ?? 0);
    if (retentionInDays === undefined) return start;
    return Math.max(start, this.#options.clock.now() - retentionInDays * DAY_MS);
  }

  #page(events: Iterable<StoredEvent>, limit: number): StoredEvent[] {
    const page: StoredEvent[] = [];
    let bytes = 0;
    for (const event of events) {
      page.push(event);
      bytes += Buffer.byteLength(event.message) + EVENT_OVERHEAD_BYTES;
      if (page.length >= limit || bytes >= MAX_PAGE_BYTES) break;
    }
    return page;
  }
}

function checkBatch(events: readonly LogEvent[]): void {
  const bytes = events.reduce((sum, { message }) => sum + Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES, 0);
  if (bytes > MAX_BATCH_BYTES) throw invalid(`Upload too large: ${bytes} bytes exceeds limit of ${MAX_BATCH_BYTES}`);
  for (const [index, event] of events.entries()) {
    if (event.timestamp < (events[index - 1]?.timestamp ?? 0)) {
      throw invalid('Log events in a single PutLogEvents request must be in chronological order.');
    }
  }
  if ((events.at(-1)?.timestamp ?? 0) - (events[0]?.timestamp ?? 0) > LONGEST_SPAN_MS) {
    throw invalid('The batch of log events in a single PutLogEvents request cannot span more than 24 hours.');
  }
}

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_RejectedLogEventsInfo.html */
function rejectedIn(
  events: readonly LogEvent[],
  { retentionInDays }: LogGroup,
  now: number,
): { tooNewLogEventStartIndex?: number; tooOldLogEventEndIndex?: number; expiredLogEventEndIndex?: number } {
  const countBefore = (time: number): number => events.filter(({ timestamp }) => timestamp < time).length;
  const accepted = countBefore(now + FURTHEST_AHEAD_MS + 1);
  const old = countBefore(now - FURTHEST_BACK_MS);
  const expired = retentionInDays === undefined ? 0 : countBefore(now - retentionInDays * DAY_MS);
  return {
    ...(accepted < events.length && { tooNewLogEventStartIndex: accepted }),
    ...(old > 0 && { tooOldLogEventEndIndex: old }),
    ...(expired > 0 && { expiredLogEventEndIndex: expired }),
  };
}

function streamFilter(names: readonly string[] | undefined, prefix: string | undefined): (name: string) => boolean {
  if (names) {
    const known = new Set(names);
    return (name) => known.has(name);
  }
  return prefix === undefined ? () => true : (name) => name.startsWith(prefix);
}

function writePosition({ timestamp, id }: EventPosition): string {
  return Buffer.from(`${timestamp}/${id}`).toString('base64url');
}

function readPosition(text: string): EventPosition | undefined {
  const [, timestamp, id] = /^(\d+)\/(\d+)$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  return timestamp === undefined ? undefined : { timestamp: Number(timestamp), id: Number(id) };
}

/** An operation that AWS has and this machine does not. */
export function unavailable(operation: string, instead: string): () => never {
  return () => {
    throw new AwsError('UnknownOperationException', `${operation} is not available on this machine: use ${instead}`);
  };
}
