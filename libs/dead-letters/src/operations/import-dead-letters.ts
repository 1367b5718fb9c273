import { isDeepStrictEqual } from 'node:util';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { EventContract } from '@millrace/events';
import * as z from 'zod';
import type { DeadLetter } from '../dead-letter.ts';
import { eventDigest } from '../failure.ts';
import { messageAttributes } from '../message-attributes.ts';
import { unparkedAttributes } from '../parking.ts';
import { Look } from './look.ts';
import { describe, moveDeadLetters, sendDeadLetters } from './move-dead-letters.ts';
import { parkingPlace } from './park.ts';
import { problemsOf, type Replacement, replacementId, replacementOf } from './replacement-event.ts';
import type { StageQueue, StageQueues } from './stage-queues.ts';

/** The code of a letter that an import has made. */
const MENDED = 'EVENT_MENDED';

/** What a line must have; `exportDeadLetters` writes more. */
const lineSchema = z.looseObject({
  messageId: z.string().min(1),
  queue: z.string().min(1),
  /** Of the event before the edit. */
  eventId: z.string().min(1).optional(),
  event: z.record(z.string(), z.unknown()).optional(),
  body: z.string().optional(),
});

type Line = z.infer<typeof lineSchema> & { number: number; source: StageQueue };

export interface ImportProblem {
  /** From 1. */
  line: number;
  /** e.g. `detail.data.total`; empty when it is the line as a whole. */
  path: string;
  message: string;
}

export interface ImportedEvent {
  line: number;
  /** Of the event that is replaced, or of its message when it was no event. */
  oldId: string;
  newId: string;
  /** Where the new event stands as a letter. */
  queue: string;
}

export interface ImportSummary {
  /** Lines whose event is as it was. */
  unchanged: number;
  /** Lines that were imported before, completely. */
  alreadyImported: number;
  /** New events, or with a dry run those there would be. */
  imported: ImportedEvent[];
  /** Lines that cannot be imported; nothing is imported while there are any. */
  problems: ImportProblem[];
  /** Lines whose message is not in its queue any more. The others are imported. */
  gone: ImportProblem[];
  /** Lines that SQS did not let be imported; they can be tried again. */
  failed: ImportProblem[];
}

/** An edit that can be made. */
interface Edit {
  line: Line;
  letter: DeadLetter;
  look: Look;
  replacement: Replacement;
  /** Whether an earlier run has sent the new event, and died before it could park the old one. */
  isSent: boolean;
}

/**
 * Imports edited letters. An edited event is a new event, see `replacementOf`: it becomes a letter in the dead-letter
 * queue that the old one stands in (or was parked from), and then the old one is parked as replaced. Stopped in between
 * and run again, it makes no second event.
 *
 * @param text of a file that `exportDeadLetters` has written and somebody has edited
 * @param contracts by detail-type; every edited event must satisfy its own
 * @throws what the SDK throws while nothing has been imported yet
 */
export async function importDeadLetters(
  sqs: Pick<SQSClient, 'send'>,
  queues: StageQueues,
  text: string,
  contracts: ReadonlyMap<string, EventContract>,
  { startedAt, dryRun = false, signal }: { startedAt: Date; dryRun?: boolean; signal?: AbortSignal },
): Promise<ImportSummary> {
  const summary: ImportSummary = {
    unchanged: 0,
    alreadyImported: 0,
    imported: [],
    problems: [],
    gone: [],
    failed: [],
  };
  const lines = readLines(text, queues, summary.problems);
  const { parkingQueue } = queues;
  const looks: Look[] = [];
  try {
    const edits: Edit[] = [];
    for (const [source, ofQueue] of Map.groupBy(lines, (line) => line.source)) {
      const look = new Look(sqs, source, { startedAt, signal });
      looks.push(look);
      edits.push(...(await readEdits(look, ofQueue, contracts, summary, startedAt)));
    }
    signal?.throwIfAborted();
    if (summary.problems.length > 0) return summary;
    for (const edit of edits) {
      if (signal?.aborted) break;
      const { line, letter, replacement } = edit;
      const target = targetOf(letter, line.source, queues);
      if (!target) {
        const message = `the queue it was parked from, ${letter.attributes.ParkedFrom}, does not exist`;
        summary.failed.push({ line: line.number, path: '', message });
        continue;
      }
      const problem = dryRun ? undefined : await replace(sqs, edit, target, parkingQueue);
      if (problem !== undefined) {
        summary.failed.push({ line: line.number, path: '', message: problem });
        break;
      }
      const oldId = letter.event?.id ?? letter.messageId;
      summary.imported.push({ line: line.number, oldId, newId: replacement.id, queue: target.name });
    }
    return summary;
  } finally {
    await Promise.all(looks.map((look) => look.close()));
  }
}

function readLines(text: string, queues: StageQueues, problems: ImportProblem[]): Line[] {
  const lines: Line[] = [];
  const numbers = new Map<string, number>();
  for (const [index, json] of text.split('\n').entries()) {
    if (json.trim() === '') continue;
    const number = index + 1;
    const refuse = (path: string, message: string): void => {
      problems.push({ line: number, path, message });
    };
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      refuse('', 'it is not JSON; a letter must stand on one line');
      continue;
    }
    const parsed = lineSchema.safeParse(value);
    if (!parsed.success) {
      for (const { path, message } of parsed.error.issues) refuse(path.join('.'), message);
      continue;
    }
    const { data } = parsed;
    const source = queues.deadLetterQueues.find(({ name }) => name === data.queue);
    const other = numbers.get(data.messageId);
    if (!source) refuse('queue', `stage ${queues.stage} has no dead-letter queue ${data.queue}`);
    else if (data.event === undefined && data.body === undefined) refuse('event', 'it is missing, and so is body');
    else if (other !== undefined) refuse('messageId', `line ${other} is about the same message`);
    else lines.push({ ...data, number, source });
    numbers.set(data.messageId, number);
  }
  return lines;
}

/** Finds the messages of the lines in their queue, and sorts the lines by what there is to do. */
async function readEdits(
  look: Look,
  lines: readonly Line[],
  contracts: ReadonlyMap<string, EventContract>,
  summary: ImportSummary,
  now: Date,
): Promise<Edit[]> {
  const wanted = new Set(lines.map(({ messageId }) => messageId));
  const letters = new Map<string, DeadLetter>();
  // Where an earlier run of the same import has come to.
  const replacedBy = new Set<string>();
  for (let found = await look.next(); found; found = await look.next()) {
    for (const letter of found) {
      if (wanted.has(letter.messageId)) letters.set(letter.messageId, letter);
      if (letter.event) replacedBy.add(letter.event.id);
      if (letter.reason.code === 'EVENT_REPLACED') replacedBy.add(letter.reason.message.split(' ').at(-1) ?? '');
    }
  }
  const edits: Edit[] = [];
  for (const line of lines) {
    const { number, messageId } = line;
    const letter = letters.get(messageId);
    const content = contentOf(line);
    if (!letter) {
      if (line.source.inFlight > 0) {
        const message = 'it may be among the letters that somebody holds at the moment: run it again';
        summary.failed.push({ line: number, path: 'messageId', message });
      } else if (replacedBy.has(replacementId(line.eventId ?? messageId, content))) summary.alreadyImported += 1;
      else summary.gone.push({ line: number, path: 'messageId', message: goneText(line) });
      continue;
    }
    if (isUnchanged(content, letter.body)) {
      summary.unchanged += 1;
      continue;
    }
    const refuse = (path: string, message: string): void => {
      summary.problems.push({ line: number, path, message });
    };
    if (letter.origin === 'stream') refuse('queue', 'a relay’s letter holds no event');
    else if (letter.origin === 'execution') refuse('queue', 'a letter about an execution holds no event');
    else if (letter.reason.code === 'EVENT_REPLACED') refuse('', 'another edit has taken its place already');
    else if (typeof content === 'string') refuse('body', 'it is not a JSON object yet: only an event can be imported');
    else {
      const original = { id: letter.event?.id ?? messageId, correlationId: letter.reason.correlationId };
      const replacement = replacementOf(content, original);
      const problems = problemsOf(replacement, contracts, now);
      for (const { path, message } of problems) refuse(path === '' ? 'event' : `event.${path}`, message);
      if (problems.length === 0)
        edits.push({ line, letter, look, replacement, isSent: replacedBy.has(replacement.id) });
    }
  }
  return edits;
}

function goneText({ queue, source }: Line): string {
  const hidden = source.fifo ? ', or stands behind others of its message group' : ', or somebody holds it';
  return `the message is not in ${queue} any more${hidden}`;
}

/** The event as edited: an object, or the text of a body that is not one. */
function contentOf({ event, body = '' }: Line): Record<string, unknown> | string {
  if (event) return event;
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Text that is no JSON stays text.
  }
  return body;
}

function isUnchanged(content: Record<string, unknown> | string, body: string): boolean {
  return isDeepStrictEqual(content, contentOf({ body } as Line));
}

function targetOf({ origin, attributes }: DeadLetter, source: StageQueue, queues: StageQueues): StageQueue | undefined {
  return origin === 'parking' ? queues.byName(attributes.ParkedFrom ?? '') : source;
}

/**
 * Why the new event is a letter: it waits for an operator to put it back. The reason of the old one would be wrong for it.
 * A rule's letter is told by EventBridge's own attributes.
 */
function mendedAttributes({ attributes, event, messageId, reason }: DeadLetter, body: string): Record<string, string> {
  const cause = attributes.CauseCode ?? reason.code;
  const message = `The edited copy of ${event?.id ?? messageId}, which died of ${cause}; redrive or re-emit it`;
  if (attributes.RULE_ARN !== undefined) return { ERROR_CODE: MENDED, ERROR_MESSAGE: message };
  return { ErrorCode: MENDED, FailureKind: 'mended', ErrorMessage: message, EventDigest: eventDigest(body) };
}

/** The new letter first, and when SQS has it the old one away. @returns what went wrong */
async function replace(
  sqs: Pick<SQSClient, 'send'>,
  { letter, look, replacement, isSent }: Edit,
  target: StageQueue,
  parkingQueue: StageQueue,
): Promise<string | undefined> {
  const { id, body } = replacement;
  const kept = letter.origin === 'parking' ? unparkedAttributes(letter.attributes) : letter.attributes;
  const texts = { ...kept, ...mendedAttributes(letter, body) };
  const move = {
    letter: { ...letter, body },
    destination: {
      queue: target,
      attributes: messageAttributes(texts, body),
      messageGroupId: target.fifo ? (letter.messageGroupId ?? letter.reason.consumer ?? id) : undefined,
      deduplicationId: `imported-${id}`,
    },
  };
  try {
    const [failure] = isSent ? [] : (await sendDeadLetters(sqs, target.url, [move])).values();
    if (failure) return `${failure.code}: ${failure.message}`;
  } catch (error) {
    return describe(error);
  }
  const reason = { code: 'EVENT_REPLACED', message: `Its edited copy is the new event ${id}` };
  const place = parkingPlace(letter, reason, target, parkingQueue);
  const [outcome] = await moveDeadLetters(sqs, look, [{ letter, destination: place }], 'replaced');
  return outcome?.result === 'done' ? undefined : outcome?.text;
}
