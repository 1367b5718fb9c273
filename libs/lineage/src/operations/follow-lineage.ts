import type { SQSClient } from '@aws-sdk/client-sqs';
import { consumerKey, depthOf, inspect, mapConcurrently, type StageQueues } from '@millrace/dead-letters/operations';
import { shownIdentifier } from '@millrace/privacy';
import type { CatalogueEntry } from '@millrace/workspace/catalogue';
import type { Lineage } from '../find-lineage.ts';
import type { LineageNode } from '../lineage-tree.ts';
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
  { marks, startedAt, signal }: { marks: MarkReader; startedAt: Date; signal?: AbortSignal },
): Promise<FollowedLineage> {
  const events = lineage.trees.flatMap((tree) => everyNode(tree.events));
  const ids = new Set(events.map(({ id }) => id));
  const correlationIds = new Set(lineage.trees.map(({ correlationId }) => correlationId));
  const isRelay = ({ name }: { name: string }): boolean => name.endsWith('-relay-dlq');
  const full = queues.deadLetterQueues.filter((queue) => depthOf(queue) > 0);

  const deadLetters: FoundDeadLetter[] = [];
  const silent = new Map<string, number>();
  const looks = await mapConcurrently(full, CONCURRENCY, async (queue) => {
    const { unseen } = await inspect(
      sqs,
      queue,
      {
        select: ({ event, reason }) =>
          (event === undefined && isRelay(queue)) ||
          (event !== undefined && ids.has(event.id)) ||
          (reason.correlationId !== undefined && correlationIds.has(reason.correlationId)),
        startedAt,
        signal,
      },
      (letter) => {
        if (letter.event === undefined && isRelay(queue)) silent.set(queue.name, (silent.get(queue.name) ?? 0) + 1);
        else deadLetters.push({ queue: queue.name, letter });
      },
    );
    return { queue: queue.name, deadLetters: unseen };
  });

  const subscriptionsOf = subscriptionsBy(catalogue, queues);
  const marked = await markedConsumers(events, subscriptionsOf, marks);
  return {
    whereabouts: new Map(
      events.map((event) => {
        const evidence = {
          deadLetters: deadLetters.filter(({ letter }) => letter.event?.id === event.id),
          marked: marked.get(event.id) ?? new Set<string>(),
        };
        const context = { stage: queues.stage, now: startedAt };
        return [event.id, whereaboutsOf(event, subscriptionsOf(event.detailType), evidence, context)];
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
  };
}

function everyNode(nodes: readonly LineageNode[]): LineageNode[] {
  return nodes.flatMap((node) => [node, ...everyNode(node.events)]);
}

/** Who has left a mark of which event, where nothing else proves it already. */
async function markedConsumers(
  events: readonly LineageNode[],
  subscriptionsOf: (detailType: string) => readonly Subscription[],
  marks: MarkReader,
): Promise<Map<string, Set<string>>> {
  const expectations = events.flatMap((event) => {
    const subscriptions = subscriptionsOf(event.detailType);
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
      .map(({ service, function: name, projects = false, markedIn }) => {
        const consumer = `${service}.${name}`;
        return { consumer, service, projects, markedIn, queue: queueOf(consumer) };
      });
}
