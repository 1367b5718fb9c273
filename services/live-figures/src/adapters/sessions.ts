import { GetCommand, paginateQuery } from '@millrace/aws';
import { ConfigurationError, variableFrom } from '@millrace/errors';
import {
  type ConditionalWrite,
  commit,
  idOf,
  type KnownItems,
  readItems,
  replaceRow,
  retryOnConflict,
  settleTogether,
  type Table,
  tableFromEnvironment,
} from '@millrace/event-store';
import type { View } from '@millrace/interactions/views';
import { logger } from '@millrace/telemetry';
import { extendSession, type Session } from '../domain/session.ts';
import { countByMinute, type Minute, type ViewCounts } from '../domain/view-counts.ts';
import { daysOf, minuteKey } from './minutes.ts';

/** The views of one session in a batch. */
type Visit = readonly [View, ...View[]];

/** How long sessions and minutes are kept, and by which clock. */
interface SessionsOptions {
  retentionDays: number;
  now?: () => Date;
}

/** A session in a list. */
export interface ListedSession {
  sessionId: string;
  session: Session;
}

/**
 * Sessions, and counts by minute. A session holds its views, and so is the mark of which were counted: what a batch adds to
 * sessions and to minutes is one transaction, with one write for each session and each minute, not for each view, and one that
 * lists a session when it begins.
 */
export class Sessions {
  readonly #table: Table;
  readonly #options: Required<SessionsOptions>;

  constructor(table: Table, { retentionDays, now = () => new Date() }: SessionsOptions) {
    this.#table = table;
    this.#options = { retentionDays, now };
  }

  /**
   * Records views, each once, in whatever order they come.
   * @returns for each view its error, or undefined when it is recorded or was before
   * @example const outcomes = await sessions.record(views);
   */
  async record(views: readonly View[]): Promise<(Error | undefined)[]> {
    const visits = new Map<string, [View, ...View[]]>();
    for (const view of views) {
      const visit = visits.get(view.sessionId);
      if (visit) visit.push(view);
      else visits.set(view.sessionId, [view]);
    }
    const errors = await settleTogether([...visits.values()], (some) => retryOnConflict(() => this.#add(some)));
    const errorOf = new Map([...visits.keys()].map((id, index) => [id, errors[index]]));
    return views.map(({ sessionId }) => errorOf.get(sessionId));
  }

  /** The session with this id, if it is known and was not forgotten. */
  async find(sessionId: string): Promise<Session | undefined> {
    const { Item } = await this.#table.client.send(
      new GetCommand({ TableName: this.#table.name, Key: sessionKey(sessionId) }),
    );
    return Item && { views: Item.views };
  }

  /**
   * Sessions that began from `from` to before `to`, in that order. A session is where it was when its first views came: an earlier view that
   * comes later changes when it began, and not its place, as it does not change the minute in which the session is counted.
   *
   * @param after a place that an earlier page ended with
   * @returns `limit` sessions at most; `next` is the place of the last one when there are more
   * @example const { sessions: found, next } = await sessions.between({ from: '2026-01-31T12:00', to: '2026-01-31T13:00', limit: 20 });
   */
  async between({
    from,
    to,
    after,
    limit,
  }: {
    from: string;
    to: string;
    after?: string | undefined;
    limit: number;
  }): Promise<{ sessions: ListedSession[]; next?: string }> {
    const places: string[] = [];
    for (const day of daysOf(after ?? from, to)) {
      if (places.length > limit) break;
      places.push(...(await this.#placesOf(day, { from: after ?? from, to, after, limit: limit + 1 - places.length })));
    }
    const page = places.slice(0, limit);
    const known = await readItems(
      this.#table.client,
      this.#table.name,
      page.map((place) => sessionKey(sessionIdOf(place))),
    );
    const sessions = page.flatMap((place): ListedSession[] => {
      const sessionId = sessionIdOf(place);
      const item = known.get(idOf(sessionKey(sessionId)));
      // It may have been forgotten a moment ago.
      return item ? [{ sessionId, session: { views: item.views } }] : [];
    });
    const next = places.length > limit ? page.at(-1) : undefined;
    return { sessions, ...(next !== undefined && { next }) };
  }

  async #placesOf(
    day: string,
    { from, to, after, limit }: { from: string; to: string; after: string | undefined; limit: number },
  ): Promise<string[]> {
    const pages = paginateQuery(this.#table.client, {
      TableName: this.#table.name,
      // What begins in the minute `to` has it and more as its place, and so comes behind it.
      KeyConditionExpression: 'pk = :day AND sk BETWEEN :from AND :to',
      ExpressionAttributeValues: { ':day': listOf(day), ':from': from, ':to': to },
      // The place that the page before ended with is the first one of this page.
      Limit: limit + 1,
    });
    const places: string[] = [];
    for await (const { Items = [] } of pages) {
      places.push(...Items.map(({ sk }) => String(sk)).filter((place) => place !== after));
      if (places.length >= limit) break;
    }
    return places.slice(0, limit);
  }

  async #add(visits: readonly Visit[]): Promise<void> {
    const { client, name } = this.#table;
    const known = await readItems(
      client,
      name,
      visits.map(([{ sessionId }]) => sessionKey(sessionId)),
    );
    const changed = visits.map((visit) => this.#extend(visit, known)).filter(({ added }) => added.length > 0);
    if (changed.length === 0) return;
    const counts = [...countByMinute(changed)].map(([minute, each]) => this.#countWrite(minute, each));
    await commit(client, [...changed.flatMap(({ writes }) => writes), ...counts]);
  }

  #extend(visit: Visit, known: KnownItems) {
    const [{ sessionId }] = visit;
    const item = known.get(idOf(sessionKey(sessionId)));
    const change = extendSession(item && { views: item.views }, visit);
    const { refused } = change;
    if (refused > 0) logger.info('Views beyond the limit of a session were not counted', { refused });
    const row = { ...sessionKey(sessionId), views: change.session.views, ttl: this.#ttl() };
    const write = replaceRow(this.#table.name, row, item?.version ?? 0);
    return { ...change, writes: change.isNew ? [write, this.#placeWrite(sessionId, change.session)] : [write] };
  }

  /** Lists a session where it begins. */
  #placeWrite(sessionId: string, { views }: Session): ConditionalWrite {
    const startedAt = views[0]?.viewedAt ?? '';
    const key = { pk: listOf(startedAt.slice(0, 'yyyy-mm-dd'.length)), sk: `${startedAt}#${sessionId}` };
    return { write: { Put: { TableName: this.#table.name, Item: { ...key, ttl: this.#ttl() } } } };
  }

  #countWrite(minute: Minute, { views, productViews, sessions, viewers }: ViewCounts): ConditionalWrite {
    return {
      write: {
        Update: {
          TableName: this.#table.name,
          Key: minuteKey(`${minute}:views`),
          UpdateExpression:
            'ADD #views :views, productViews :productViews, sessions :sessions, viewers :viewers SET #ttl = :ttl',
          ExpressionAttributeNames: { '#views': 'views', '#ttl': 'ttl' },
          ExpressionAttributeValues: {
            ...{ ':views': views, ':productViews': productViews, ':sessions': sessions, ':viewers': viewers },
            ':ttl': this.#ttl(),
          },
        },
      },
    };
  }

  #ttl(): number {
    return Math.floor(this.#options.now().getTime() / 1000) + this.#options.retentionDays * 86_400;
  }
}

function sessionKey(sessionId: string) {
  return { pk: `SESSION#${sessionId}`, sk: 'SESSION' };
}

/** The partition with the places of the sessions of a day. */
function listOf(day: string): string {
  return `SESSIONS#${day}`;
}

function sessionIdOf(place: string): string {
  return place.slice(place.indexOf('#') + 1);
}

/**
 * The sessions in the table MILLRACE_TABLE, kept for MILLRACE_INTERACTION_RETENTION_DAYS.
 * @throws ConfigurationError when one of them is not set
 */
export function sessionsFromEnvironment(): Sessions {
  const name = 'MILLRACE_INTERACTION_RETENTION_DAYS';
  const expectation = 'a whole number of days, e.g. 30';
  const retentionDays = Number(variableFrom(name, expectation));
  if (!Number.isInteger(retentionDays) || retentionDays < 1) throw new ConfigurationError(name, expectation);
  return new Sessions(tableFromEnvironment(), { retentionDays });
}
