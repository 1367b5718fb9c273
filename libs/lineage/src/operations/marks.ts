import { type DocumentClient, GetCommand } from '@millrace/aws';
import { mapConcurrently, operatorDocumentClient } from '@millrace/dead-letters/operations';
import { hasEffectIn, idOf, inboxKey, readItems } from '@millrace/event-store';
import { handledMarkId } from '@millrace/events';
import { hasApplied, isMadeOf, ProjectionTable } from '@millrace/projections';
import type { OwnedProjection } from '@millrace/projections/load-projections';
import { EventLog } from '../event-log.ts';
import type { LoggedEvent } from '../logged-event.ts';

/** Reads of single items under way at once. */
const CONCURRENCY = 8;

/** An event that a consumer should have handled. */
export interface Expectation {
  /** `inventory.onOrderPlaced`, as its marks name it. */
  consumer: string;
  service: string;
  /** The consumer keeps its service's projections: what they have had are its marks. */
  projects: boolean;
  /** The prefix of the streams in which the events are that a handled one has caused. */
  markedIn?: string | undefined;
  event: Pick<LoggedEvent, 'id' | 'detailType' | 'subject'>;
}

/** Finds the expectations that a mark proves. */
export type MarkReader = (expectations: readonly Expectation[]) => Promise<ReadonlySet<Expectation>>;

/**
 * Looks for the marks that consumers leave where they store their effect: an inbox mark in the service's table, an event of a
 * stream that it caused, the mark of all steps in its idempotency table, or what its projections have had. A table that is not there has no marks.
 *
 * @param projections of all services
 * @example
 * const handled = await markReader(client, 'dev', projections)(expectations);
 * expectations.filter((each) => !handled.has(each)); // no trace of these
 */
export function markReader(client: DocumentClient, stage: string, projections: readonly OwnedProjection[]): MarkReader {
  const tableOf = (service: string, suffix = '') => `millrace-${service}-${stage}${suffix}`;
  const log = new EventLog(client, tableOf('event-log'));

  async function inboxes(expectations: readonly Expectation[]): Promise<Expectation[]> {
    const services = Map.groupBy(expectations, ({ service }) => service);
    const found = await mapConcurrently([...services], CONCURRENCY, async ([service, all]) => {
      const keyOf = ({ consumer, event }: Expectation) => inboxKey({ consumer, eventId: event.id });
      const items = await ifThere(readItems(client, tableOf(service), all.map(keyOf)));
      return all.filter((each) => items?.get(idOf(keyOf(each))) !== undefined);
    });
    return found.flat();
  }

  async function hasCaused({ service, markedIn, event }: Expectation): Promise<boolean> {
    if (markedIn === undefined) return false;
    return (await ifThere(hasEffectIn(client, tableOf(service), `${markedIn}${event.subject}`, event.id))) === true;
  }

  async function hasHandledMark({ consumer, service, event }: Expectation): Promise<boolean> {
    const TableName = tableOf(service, '-idempotency');
    const Key = { id: handledMarkId(consumer, event.id) };
    const answer = await ifThere(client.send(new GetCommand({ TableName, Key, ConsistentRead: true })));
    return answer?.Item !== undefined;
  }

  async function isProjected({ service, event }: Expectation): Promise<boolean> {
    const concerned = projections.filter(
      ({ service: owner, projection }) => owner === service && isMadeOf(projection, event.detailType),
    );
    const sequence = (await log.find(event.id))?.metadata.sequence;
    if (concerned.length === 0 || typeof sequence !== 'number') return false;
    const table = new ProjectionTable(client, tableOf(service, '-projections'));
    const place = { subject: event.subject, sequence };
    const applied = await Promise.all(concerned.map(({ projection }) => ifThere(hasApplied(table, projection, place))));
    return applied.every((has) => has === true);
  }

  return async (expectations) => {
    const handled = new Set(await inboxes(expectations));
    const others = expectations.filter((each) => !handled.has(each));
    await mapConcurrently(others, CONCURRENCY, async (each) => {
      const isHandled = each.projects
        ? await isProjected(each)
        : (await hasCaused(each)) || (await hasHandledMark(each));
      if (isHandled) handled.add(each);
    });
    return handled;
  };
}

/**
 * Reads a stage's marks with an operator's credentials.
 *
 * @param projections of all services
 * @param endpoint of the local runtime, otherwise AWS
 * @see markReader
 */
export function openMarks(
  stage: string,
  endpoint: string | undefined,
  projections: readonly OwnedProjection[],
): MarkReader {
  return markReader(operatorDocumentClient(endpoint), stage, projections);
}

/** The answer about a table; undefined when the stage has no such table. */
async function ifThere<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if ((error as Error).name !== 'ResourceNotFoundException') throw error;
    return undefined;
  }
}
