import type { PutEventsRequestEntry, PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import { type EventBridge, PutEventsCommand } from '@millrace/aws';
import { fullJitter } from '@millrace/retry';
import { eventBridgeLimits } from './aws-limits.ts';
import type { EmittableEvent } from './emittable-event.ts';
import { EmitFailedError, type UnsentEvent } from './errors.ts';
import type { EventEmitter } from './event-emitter.ts';

/** EventBridge's codes for entries that no retry will make acceptable; every other code is tried again. */
const permanentCodes = new Set([
  'AccessDeniedException',
  'EventTooLarge',
  'InvalidArgument',
  'InvalidAccountIdException',
  'MalformedDetail',
  'NotAuthorizedForDetailTypeException',
  'NotAuthorizedForSourceException',
  'RedactionFailure',
  'SerializationException',
  'ValidationException',
]);

/** Codes with which EventBridge refuses a whole call, be it for one of its entries. */
const callCodes = new Set(['AccessDeniedException', 'SerializationException', 'ValidationException']);

export interface EventBridgeEmitterOptions {
  client: EventBridge;
  /** Name or ARN of the bus. */
  busName: string;
  /** How often one event is tried in all. */
  maxAttempts?: number;
  /** Upper bound of the first pause in ms; it doubles each time. */
  baseDelayMs?: number;
  maxDelayMs?: number;
  sleep?: (ms: number) => Promise<void>;
  random?: () => number;
}

/**
 * The bytes of one entry as AWS counts them: 14 for a time, and the UTF-8 length of source, detail-type, detail and resources.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
 */
export function entrySize(event: EmittableEvent): number {
  const texts = [event.source, event.detailType, event.detail, ...event.resources];
  return 14 + texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0);
}

/**
 * What EventBridge would refuse an entry for. Checked before the call, because a text that is too long makes it refuse the
 * whole call, with entries that are in order.
 */
function refusalOf(event: EmittableEvent): Omit<UnsentEvent, 'event' | 'refused'> | undefined {
  const { bytesPerPut, detailTypeLength, resourceLength, traceHeaderLength } = eventBridgeLimits;
  const size = entrySize(event);
  if (size > bytesPerPut)
    return { errorCode: 'EventTooLarge', errorMessage: `${size} bytes; at most ${bytesPerPut} fit` };
  const tooLong = [
    { name: 'DetailType', length: event.detailType.length, limit: detailTypeLength },
    ...event.resources.map(({ length }, index) => ({ name: `Resources[${index}]`, length, limit: resourceLength })),
    { name: 'TraceHeader', length: event.traceHeader?.length ?? 0, limit: traceHeaderLength },
  ].find(({ length, limit }) => length > limit);
  if (!tooLong) return undefined;
  const errorMessage = `${tooLong.name} has ${tooLong.length} characters; at most ${tooLong.limit} are allowed`;
  return { errorCode: 'InvalidArgument', errorMessage };
}

/**
 * Emits to EventBridge: chunks by count and size, checks every entry's result, and retries only what failed. A call that is
 * refused as a whole is made again for each entry alone, so that one bad entry holds no other back.
 */
export class EventBridgeEmitter implements EventEmitter {
  readonly #options: Required<EventBridgeEmitterOptions>;

  constructor(options: EventBridgeEmitterOptions) {
    this.#options = {
      maxAttempts: 5,
      baseDelayMs: 50,
      maxDelayMs: 2000,
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      random: Math.random,
      ...options,
    };
  }

  async emit(events: readonly EmittableEvent[]): Promise<void> {
    const unsent: Omit<UnsentEvent, 'refused'>[] = [];
    let pending = events.filter((event) => {
      const refusal = refusalOf(event);
      if (refusal) unsent.push({ event, ...refusal });
      return !refusal;
    });

    for (let attempt = 1; pending.length > 0; attempt += 1) {
      const failed: typeof unsent = [];
      for (const chunk of chunks(pending)) failed.push(...(await this.#put(chunk)));
      const giveUp = attempt >= this.#options.maxAttempts;
      const retryable = failed.filter(({ errorCode }) => !giveUp && !permanentCodes.has(errorCode));
      unsent.push(...failed.filter((failure) => !retryable.includes(failure)));
      pending = retryable.map(({ event }) => event);
      if (pending.length > 0) await this.#pause(attempt);
    }
    if (unsent.length === 0) return;
    // A sender who may not call at all will, once its role is mended; that others got through shows that it may.
    const someWereAccepted = unsent.length < events.length;
    const isRefused = (code: string) =>
      permanentCodes.has(code) && (code !== 'AccessDeniedException' || someWereAccepted);
    throw new EmitFailedError(
      unsent.map((each) => ({ ...each, ...(isRefused(each.errorCode) && { refused: true }) })),
      events.length,
    );
  }

  /** One call. A call that fails as a whole is a failure of each of its entries. */
  async #put(chunk: readonly EmittableEvent[]): Promise<Omit<UnsentEvent, 'refused'>[]> {
    let results: PutEventsResultEntry[];
    try {
      const Entries = chunk.map((event) => this.#entry(event));
      results = (await this.#options.client.send(new PutEventsCommand({ Entries }))).Entries ?? [];
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      if (chunk.length > 1 && callCodes.has(name)) {
        return (await Promise.all(chunk.map((event) => this.#put([event])))).flat();
      }
      return chunk.map((event) => ({ event, errorCode: name, errorMessage: message }));
    }
    return chunk.flatMap((event, index) => {
      const result = results[index];
      // An id is EventBridge's only proof of acceptance: an entry without one was not accepted.
      if (result?.EventId && !result.ErrorCode) return [];
      return [{ event, errorCode: result?.ErrorCode ?? 'NoResult', errorMessage: result?.ErrorMessage ?? '' }];
    });
  }

  #entry(event: EmittableEvent): PutEventsRequestEntry {
    return {
      EventBusName: this.#options.busName,
      Source: event.source,
      DetailType: event.detailType,
      Detail: event.detail,
      Time: new Date(event.time),
      ...(event.resources.length > 0 && { Resources: [...event.resources] }),
      ...(event.traceHeader !== undefined && { TraceHeader: event.traceHeader }),
    };
  }

  #pause(attempt: number): Promise<void> {
    const { baseDelayMs, maxDelayMs, random, sleep } = this.#options;
    return sleep(fullJitter(attempt, { random, firstBound: baseDelayMs, longestBound: maxDelayMs }));
  }
}

function* chunks(events: readonly EmittableEvent[]): Generator<EmittableEvent[]> {
  const { entriesPerPut, bytesPerPut } = eventBridgeLimits;
  let chunk: EmittableEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = entrySize(event);
    if (chunk.length === entriesPerPut || (chunk.length > 0 && bytes + size > bytesPerPut)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(event);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
