import type { SQSClient } from '@aws-sdk/client-sqs';
import { failedExecutionOf } from '@millrace/dead-letters';
import { consumerKey, depthOf, inspect, mapConcurrently, type StageQueues } from '@millrace/dead-letters/operations';
import { compilePattern, type JsonValue } from '@millrace/event-pattern';
import { shownIdentifier } from '@millrace/privacy';
import type { CatalogueEntry } from '@millrace/workspace/catalogue';
import type { Lineage } from '../find-lineage.ts';
import type { LineageNode } from '../lineage-tree.ts';
import type { StoredEvent } from '../logged-event.ts';
import type { Expectation, MarkReader } from './marks.ts';
import {
  type FoundDeadLetter,
  hasEffect,
  type LetterReason,
  queueThatFailed,
  reasonOf,
  type Subscription,
  type Whereabouts,
  whereaboutsOf,
} from './whereabouts.ts';

/** Queues looked into at once. */
const CONCURRENCY = 4;
/** Whose consumer has had every event that is in the log. */
const LOG = 'event-log';

/** What became of the events of a lineage. */
export interface FollowedLineage {
  /** By event id. */
  whereabouts: ReadonlyMap<string, Whereabouts[]>;
  /** Dead letters of the same correlations whose event is not in the log: an edited one, or one the log has missed. */
  strays: { queue: string; event?: string; detailType?: string; reason: LetterReason }[];
  /** Letters that could not be looked at, because somebody else holds them: by queue, approximately. */
  unseen: { queue: string; deadLetters: number }[];
  /** Letters of relays that hold no event: what they are about was not emitted, and is not in the log. */
  silentRelays: { queue: string; deadLetters: number }[];
  /** Executions that were started for what the events are about, and have stopped. */
  stoppedExecutions: StoppedExecution[];
}

/** An execution of a process that waits for an operator. */
export interface StoppedExecution {
  /** The dead-letter queue that says so. */
  queue: string;
  name: string;
  /** e.g. `FAILED` */
  status: string;
}

/** What is needed to follow a lineage. */
export interface LineageLook {
  marks: MarkReader;
  /** Reads an event of the log with its data: some consumers do not take each event of a type. */
  readEvent: (id: string) => Promise<StoredEvent | undefined>;
  startedAt: Date;
  signal?: AbortSignal;
}

/**
 * Looks for the events of a lineage where their consumers leave marks, in every dead-letter queue of the stage, and in the
 * queues of their consumers, which can only be asked whether they are empty. Letters are looked at as `redrive inspect` does:
 * all of them are given back. Marks are read last: an event that is handled meanwhile is seen.
 *
 * @param catalogue of the repository: who consumes what
 */
export async function followLineage(
  sqs: Pick<SQSClient, 'send'>,
  queues: StageQueues,
  lineage: Lineage,
  catalogue: readonly CatalogueEntry[],
  { marks, readEvent, startedAt, signal }: LineageLook,
): Promise<FollowedLineage> {
  const events = lineage.trees.flatMap((tree) => everyNode(tree.events));
  const ids = new Set(events.map(({ id }) => id));
  const correlationIds = new Set(lineage.trees.map(({ correlationId }) => correlationId));
  const isRelay = ({ name }: { name: string }): boolean => name.endsWith('-relay-dlq');
  const full = queues.deadLetterQueues.filter((queue) => depthOf(queue) > 0);

  const subjects = [...new Set(events.map(({ subject }) => subject))];
  const deadLetters: FoundDeadLetter[] = [];
  const stoppedExecutions: StoppedExecution[] = [];
  const silent = new Map<string, number>();
  const looks = await mapConcurrently(full, CONCURRENCY, async (queue) => {
    const { unseen } = await inspect(
      sqs,
      queue,
      {
        select: ({ event, reason, body }) =>
          executionFor(subjects, body) !== undefined ||
          (event === undefined && isRelay(queue)) ||
          (event !== undefined && ids.has(event.id)) ||
          (reason.correlationId !== undefined && correlationIds.has(reason.correlationId)),
        startedAt,
        signal,
      },
      (letter) => {
        const execution = executionFor(subjects, letter.body);
        if (execution) stoppedExecutions.push({ queue: queue.name, ...execution });
        else if (letter.event === undefined && isRelay(queue))
          silent.set(queue.name, (silent.get(queue.name) ?? 0) + 1);
        else deadLetters.push({ queue: queue.name, letter });
      },
    );
    return { queue: queue.name, deadLetters: unseen };
  });

  const subscriptionsOf = await subscriptionsTo(events, subscriptionsBy(catalogue, queues), readEvent);
  const marked = await markedConsumers(events, subscriptionsOf, marks);
  return {
    whereabouts: new Map(
      events.map((event) => {
        const evidence = {
          deadLetters: deadLetters.filter(({ letter }) => letter.event?.id === event.id),
          marked: marked.get(event.id) ?? new Set<string>(),
        };
        const context = { stage: queues.stage, now: startedAt };
        return [event.id, whereaboutsOf(event, subscriptionsOf(event), evidence, context)];
      }),
    ),
    strays: deadLetters
      .filter(({ letter }) => letter.event === undefined || !ids.has(letter.event.id))
      .map((found) => ({
        queue: shownIdentifier(queueThatFailed(found)),
        ...(found.letter.event && {
          event: shownIdentifier(found.letter.event.id),
          detailType: shownIdentifier(found.letter.event.detailType),
        }),
        reason: reasonOf(found),
      })),
    unseen: looks.filter(({ deadLetters: count }) => count > 0),
    silentRelays: [...silent].map(([queue, count]) => ({ queue, deadLetters: count })),
    stoppedExecutions,
  };
}

function everyNode(nodes: readonly LineageNode[]): LineageNode[] {
  return nodes.flatMap((node) => [node, ...everyNode(node.events)]);
}

/** Who has left a mark of which event, where nothing else proves it already. */
async function markedConsumers(
  events: readonly LineageNode[],
  subscriptionsOf: (event: LineageNode) => readonly Subscription[],
  marks: MarkReader,
): Promise<Map<string, Set<string>>> {
  const expectations = events.flatMap((event) => {
    const subscriptions = subscriptionsOf(event);
    return subscriptions
      .filter((subscription) => !hasEffect(event, subscription, subscriptions))
      .map(
        ({ consumer, service, projects, markedIn }): Expectation => ({ consumer, service, projects, markedIn, event }),
      );
  });
  const marked = new Map<string, Set<string>>();
  for (const { consumer, event } of await marks(expectations)) {
    marked.set(event.id, (marked.get(event.id) ?? new Set()).add(consumer));
  }
  return marked;
}

/**
 * The execution that a letter is about, if it was started for one of some subjects: it has the subject's name, or that and a number where it
 * goes on in place of another one.
 */
function executionFor(subjects: readonly string[], body: string): { name: string; status: string } | undefined {
  let letter: unknown;
  try {
    letter = JSON.parse(body);
  } catch {
    return undefined;
  }
  const { name = '', status = '' } = failedExecutionOf(letter) ?? {};
  const isOurs = subjects.some(
    (subject) => name === subject || (/^-\d+$/.test(name.slice(subject.length)) && name.startsWith(subject)),
  );
  return isOurs ? { name, status: shownIdentifier(status) } : undefined;
}

/** The consumers of each event: those of its type, without those whose filter leaves it out. */
async function subscriptionsTo(
  events: readonly LineageNode[],
  byType: (detailType: string) => readonly Subscription[],
  readEvent: LineageLook['readEvent'],
): Promise<(event: LineageNode) => readonly Subscription[]> {
  const found = await mapConcurrently([...events], CONCURRENCY, async ({ id, detailType }) => {
    const subscriptions = byType(detailType);
    if (subscriptions.every(({ filter }) => filter === undefined)) return [id, subscriptions] as const;
    const { metadata, data } = (await readEvent(id)) ?? {};
    const detail = { metadata, data } as unknown as JsonValue;
    const matches = ({ filter }: Subscription): boolean =>
      filter === undefined || compilePattern(JSON.stringify({ detail: filter }))({ detail });
    return [id, subscriptions.filter(matches)] as const;
  });
  const byId = new Map(found);
  return ({ id }) => byId.get(id) ?? [];
}

function subscriptionsBy(
  catalogue: readonly CatalogueEntry[],
  queues: StageQueues,
): (detailType: string) => Subscription[] {
  const { stage } = queues;
  const queueOf = (consumer: string): Subscription['queue'] => {
    const key = consumerKey(consumer, stage);
    return queues.deadLetterQueues
      .filter(({ name }) => consumerKey(name, stage) === key)
      .flatMap((deadLetterQueue) => queues.sourcesOf(deadLetterQueue))
      .at(0);
  };
  return (detailType) =>
    (catalogue.find((entry) => entry.detailType === detailType)?.consumers ?? [])
      .filter(({ service }) => service !== LOG)
      .map(({ service, function: name, projects = false, markedIn, filter }) => {
        const consumer = `${service}.${name}`;
        return { consumer, service, projects, markedIn, filter, queue: queueOf(consumer) };
      });
}
