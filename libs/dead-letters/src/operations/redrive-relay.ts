import { entryOfEnvelope } from '@millrace/events';
import type { DynamoDBRecord } from 'aws-lambda';
import { batches } from '../batches.ts';
import type { DeadLetter } from '../dead-letter.ts';
import { type RowPlace, rowPlaceOf, type StreamPositions, streamPositionsOf } from '../relay-dead-letter.ts';
import { insertRecordOf, outboxItem } from '../stream-record.ts';
import { type DrainSummary, drain } from './drain.ts';
import type { Look } from './look.ts';
import { describe, remove } from './move-dead-letters.ts';
import type { Outcome } from './outcome.ts';
import type { Operation } from './redrive.ts';
import { relayServiceOf } from './stage-queues.ts';

/** What a sweep of the windows of some letters came to. */
export interface RelaySweep {
  /** Stored events in each window, in the order of the windows. */
  inWindow: readonly number[];
  /** Events that were not emitted before; with a dry run, that would be. */
  missing: number;
  /** Why not all of the missing could be emitted. */
  problem?: string;
}

/** What redriving a relay's letters needs of its service. */
export interface RelayRepair {
  /** Has the service's relay emit rows, and says what became of each, by the record's `eventID`. */
  emit: (
    records: readonly DynamoDBRecord[],
  ) => Promise<readonly { eventId: string; outcome: 'emitted' | 'refused' | 'failed'; code?: string }[]>;
  /** The record of a row of the service's table; undefined when the row is gone. */
  recordAt: (place: RowPlace) => Promise<DynamoDBRecord | undefined>;
  /**
   * Emits what of some windows was never emitted; with a dry run it only counts.
   * @param dead ids of events that have a letter of their own
   */
  sweep: (
    windows: readonly { from: Date; to: Date }[],
    options: { dryRun: boolean; dead: ReadonlySet<string> },
  ) => Promise<RelaySweep>;
}

/** Letters that are handled together: events in one call of the relay, windows in one scan of the table. */
const BATCH = 100;
/** Bytes of events in one call of the relay. */
const BATCH_BYTES = 5_000_000;
/**
 * What the times in a letter may differ by from those in the table, in ms: they are whole seconds by the stream's clock, and
 * a row's time is its writer's.
 */
const CLOCK_MARGIN_MS = 60_000;

/** A letter whose event the relay is to emit. */
interface Emission {
  letter: DeadLetter;
  record: DynamoDBRecord;
}

/**
 * Has the letters of a relay emitted by their owner. One that holds an event, or names its row, is handed to the relay as its
 * stream would. One that names positions of the stream is a sweep of the time in which its records were written: of all that
 * was stored then, what was never emitted is emitted. A letter is deleted only when all of it is on the bus, or in a new
 * letter.
 */
export async function redriveRelay(operation: Operation, repair: RelayRepair): Promise<DrainSummary> {
  const { sqs, queue, queues, dryRun = false } = operation;
  const relay = `millrace-${relayServiceOf(queue, queues.stage)}-${queues.stage}-relay`;
  const dead = new Set<string>();
  // One at a time: two sweeps side by side would read the table twice.
  return drain(sqs, queue, { ...operation, concurrency: 1 }, BATCH, async (letters, look) => {
    const outcomes: Outcome[] = [];
    const emissions: Emission[] = [];
    const positions: { letter: DeadLetter; at: StreamPositions }[] = [];
    for (const letter of letters) {
      if (letter.event) dead.add(letter.event.id);
      const meant = await readLetter(letter, repair);
      if (typeof meant === 'string') outcomes.push({ letter, result: 'left', text: `left: ${meant}` });
      else if ('record' in meant) emissions.push({ letter, ...meant });
      else positions.push({ letter, ...meant });
    }
    if (dryRun) {
      for (const { letter } of emissions) outcomes.push({ letter, result: 'done', text: `would go to ${relay}` });
    } else {
      const calls = batches(inOrder(emissions), {
        maxCount: BATCH,
        maxSize: BATCH_BYTES,
        sizeOf: ({ record }) => Buffer.byteLength(JSON.stringify(record)),
      });
      for (const call of calls) outcomes.push(...(await emit(call, relay, repair, look)));
    }
    if (positions.length === 0 || outcomes.some(({ stop }) => stop)) return outcomes;
    return [...outcomes, ...(await sweep(positions, repair, { dryRun, dead }, look))];
  });
}

/** What a letter is about, or why it cannot be redriven. */
async function readLetter(
  letter: DeadLetter,
  { recordAt }: RelayRepair,
): Promise<{ record: DynamoDBRecord } | { at: StreamPositions } | string> {
  const { body, messageId, sentAt } = letter;
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return 'it is not a letter of a relay: its body is not JSON';
  }
  const positions = streamPositionsOf(parsed);
  if (positions) return { at: positions };
  const place = rowPlaceOf(parsed);
  if (place) {
    const record = await recordAt(place);
    return record ? { record: { ...record, eventID: messageId } } : 'its row is not in the table any more';
  }
  try {
    const event = entryOfEnvelope(body);
    const { subject, id } = JSON.parse(event.detail).metadata ?? {};
    const row = { table: 'letter', pk: String(subject ?? messageId), sk: `OUTBOX#${id ?? messageId}` };
    const item = outboxItem(row, event.entry);
    return { record: insertRecordOf(row, item, { eventId: messageId, sequenceNumber: 1, at: sentAt }) };
  } catch (error) {
    return describe(error);
  }
}

/** In the order in which things happened, as far as the events tell. */
function inOrder(emissions: readonly Emission[]): Emission[] {
  const timeOf = ({ letter }: Emission): number => Date.parse(letter.event?.time ?? '') || letter.sentAt.getTime();
  return emissions
    .toSorted((a, b) => timeOf(a) - timeOf(b))
    .map(({ letter, record }, index) => ({
      letter,
      record: { ...record, dynamodb: { ...record.dynamodb, SequenceNumber: String(index + 1) } },
    }));
}

async function emit(
  emissions: readonly Emission[],
  relay: string,
  repair: RelayRepair,
  look: Look,
): Promise<Outcome[]> {
  let answers: ReadonlyMap<string, { outcome: string; code?: string }>;
  try {
    answers = new Map(
      (await repair.emit(emissions.map(({ record }) => record))).map((answer) => [answer.eventId, answer]),
    );
  } catch (error) {
    const text = `left: ${relay} did not answer: ${describe(error)}`;
    return emissions.map(({ letter }) => ({ letter, result: 'left', text, stop: true }));
  }
  const answerTo = ({ letter }: Emission) => answers.get(letter.messageId) ?? { outcome: 'failed' };
  const gone = emissions.filter((emission) => answerTo(emission).outcome !== 'failed').map(({ letter }) => letter);
  const stillThere = await remove(look, gone);
  return emissions.map((emission): Outcome => {
    const { letter } = emission;
    const { outcome, code = 'no answer for it' } = answerTo(emission);
    if (outcome === 'failed') {
      return { letter, result: 'left', text: `left: the bus did not take it: ${code}`, stop: true };
    }
    const problem = stillThere.get(letter);
    if (problem !== undefined) {
      return { letter, result: 'failed', text: `${outcome}, but also still in its queue: ${problem}`, stop: true };
    }
    return outcome === 'emitted'
      ? { letter, result: 'done', text: `emitted by ${relay}` }
      : { letter, result: 'left', text: `refused again, and in the queue as a new letter: ${code}` };
  });
}

/** Sweeps the windows of some letters, and deletes those of which everything is on the bus. */
async function sweep(
  letters: readonly { letter: DeadLetter; at: StreamPositions }[],
  repair: RelayRepair,
  { dryRun, dead }: { dryRun: boolean; dead: ReadonlySet<string> },
  look: Look,
): Promise<Outcome[]> {
  const windows = letters.map(({ at: { from, to } }) => ({
    from: new Date(from.getTime() - CLOCK_MARGIN_MS),
    to: new Date(to.getTime() + CLOCK_MARGIN_MS),
  }));
  let swept: RelaySweep;
  try {
    swept = await repair.sweep(windows, { dryRun, dead });
  } catch (error) {
    const text = `left: the sweep of its time failed: ${describe(error)}`;
    return letters.map(({ letter }) => ({ letter, result: 'left', text, stop: true }));
  }
  const { inWindow, missing, problem } = swept;
  if (problem !== undefined) {
    return letters.map(({ letter }) => ({ letter, result: 'left', text: `left: ${problem}`, stop: true }));
  }
  const found = (index: number): boolean => (inWindow[index] ?? 0) >= (letters[index]?.at.count ?? 0);
  const outcomes = letters.flatMap(({ letter, at }, index): Outcome[] =>
    found(index)
      ? []
      : [
          {
            letter,
            result: 'left',
            text: `left: it tells of ${at.count} records, and the table has ${inWindow[index] ?? 0} events of that time: look for the rest with npm run sweep`,
          },
        ],
  );
  const complete = letters.filter((_, index) => found(index)).map(({ letter }) => letter);
  if (dryRun) {
    const text = `would be swept: ${missing} events of their time were never emitted`;
    return [...outcomes, ...complete.map((letter): Outcome => ({ letter, result: 'done', text }))];
  }
  const stillThere = await remove(look, complete);
  const text = `swept: ${missing} events of their time had never been emitted, and are now`;
  return [
    ...outcomes,
    ...complete.map((letter): Outcome => {
      const left = stillThere.get(letter);
      return left === undefined
        ? { letter, result: 'done', text }
        : { letter, result: 'failed', text: `${text}; but it is still in its queue: ${left}`, stop: true };
    }),
  ];
}
