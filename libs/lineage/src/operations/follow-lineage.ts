import type { SQSClient } from '@aws-sdk/client-sqs';
import { consumerKey, depthOf, inspect, mapConcurrently, type StageQueues } from '@millrace/dead-letters/operations';
import { shownIdentifier } from '@millrace/events';
import type { CatalogueEntry } from '@millrace/events/catalogue';
import type { Lineage } from '../find-lineage.ts';
import type { LineageNode } from '../lineage-tree.ts';
import {
  type FoundLetter,
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
  unseen: { queue: string; letters: number }[];
  /** Relays that gave up: what they could not emit is not in the log. */
  silentRelays: { queue: string; letters: number }[];
}

/**
 * Looks for the events of a lineage in every dead-letter queue of the stage, and asks the queues of their consumers whether
 * they are empty. Letters are looked at as `redrive inspect` does: all of them are given back.
 *
 * @param catalogue of the repository: who consumes what
 */
export async function followLineage(
  sqs: Pick<SQSClient, 'send'>,
  queues: StageQueues,
  lineage: Lineage,
  catalogue: readonly CatalogueEntry[],
  { startedAt, signal }: { startedAt: Date; signal?: AbortSignal },
): Promise<FollowedLineage> {
  const events = lineage.trees.flatMap((tree) => everyNode(tree.events));
  const ids = new Set(events.map(({ id }) => id));
  const correlationIds = new Set(lineage.trees.map(({ correlationId }) => correlationId));
  const isRelay = ({ name }: { name: string }): boolean => name.endsWith('-relay-dlq');
  const full = queues.deadLetterQueues.filter((queue) => depthOf(queue) > 0);

  const letters: FoundLetter[] = [];
  const looks = await mapConcurrently(
    full.filter((queue) => !isRelay(queue)),
    CONCURRENCY,
    async (queue) => {
      const { unseen } = await inspect(
        sqs,
        queue,
        {
          select: ({ event, reason }) =>
            (event !== undefined && ids.has(event.id)) ||
            (reason.correlationId !== undefined && correlationIds.has(reason.correlationId)),
          startedAt,
          signal,
        },
        (letter) => {
          letters.push({ queue: queue.name, letter });
        },
      );
      return { queue: queue.name, letters: unseen };
    },
  );

  const subscriptions = subscriptionsBy(catalogue, queues);
  return {
    whereabouts: new Map(
      events.map((event) => {
        const own = letters.filter(({ letter }) => letter.event?.id === event.id);
        return [event.id, whereaboutsOf(event, subscriptions(event.detailType), own, queues.stage)];
      }),
    ),
    strays: letters
      .filter(({ letter }) => letter.event === undefined || !ids.has(letter.event.id))
      .map((found) => ({
        queue: shownIdentifier(queueThatFailed(found)),
        ...(found.letter.event && {
          event: shownIdentifier(found.letter.event.id),
          detailType: shownIdentifier(found.letter.event.detailType),
        }),
        reason: reasonOf(found),
      })),
    unseen: looks.filter(({ letters: count }) => count > 0),
    silentRelays: full.filter(isRelay).map((queue) => ({ queue: queue.name, letters: depthOf(queue) })),
  };
}

function everyNode(nodes: readonly LineageNode[]): LineageNode[] {
  return nodes.flatMap((node) => [node, ...everyNode(node.events)]);
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
      .map(({ service, function: name }) => `${service}.${name}`)
      .map((consumer) => ({ consumer, queue: queueOf(consumer) }));
}
