import { GetCommand, paginateQuery } from '@millrace/aws';
import { ConfigurationError, variableFrom } from '@millrace/errors';
import {
  ConcurrencyConflictError,
  type ConditionalWrite,
  commit,
  idOf,
  type KnownItems,
  readItems,
  retryOnConflict,
  settleTogether,
  type Table,
  tableFromEnvironment,
} from '@millrace/event-store';
import { logger } from '@millrace/telemetry';
import { countByMinute, type Minute, type MinuteCounts } from '../domain/minute.ts';
import { extendSession, type Session } from '../domain/session.ts';
import type { View } from '../domain/view.ts';

/** The views of one session in a batch. */
type Visit = readonly [View, ...View[]];

/** How long sessions and minutes are kept, and by which clock. */
interface SessionsOptions {
  retentionDays: number;
  now?: () => Date;
}

/**
 * Sessions, and counts by minute. A session holds its views, and so is the mark of which were counted: what a batch adds to
 * sessions and to minutes is one transaction, with one write for each session and each minute, not for each view.
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

  /** The minutes from `from` to before `to` in which something happened, in their order. */
  async minutes(from: Minute, to: Minute): Promise<(MinuteCounts & { minute: string })[]> {
    const found: (MinuteCounts & { minute: string })[] = [];
    for (const day of daysOf(from, to)) {
      const pages = paginateQuery(this.#table.client, {
        TableName: this.#table.name,
        KeyConditionExpression: 'pk = :day AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':day': `MINUTES#${day}`, ':from': from, ':to': to },
      });
      for await (const { Items = [] } of pages) {
        for (const { sk, views, productViews, sessions } of Items) {
          if (sk !== to) found.push({ minute: `${sk}Z`, views, productViews, sessions });
        }
      }
    }
    return found;
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
    await commit(client, [...changed.map(({ write }) => write), ...counts]);
  }

  #extend(visit: Visit, known: KnownItems) {
    const [{ sessionId }] = visit;
    const item = known.get(idOf(sessionKey(sessionId)));
    const { session, added, refused } = extendSession(item && { views: item.views }, visit);
    if (refused > 0) logger.info('Views beyond the limit of a session were not counted', { refused });
    return { added, isNew: item === undefined, write: this.#sessionWrite(sessionId, session, item?.version) };
  }

  #sessionWrite(sessionId: string, { views }: Session, version: number | undefined): ConditionalWrite {
    return {
      write: {
        Put: {
          TableName: this.#table.name,
          Item: { ...sessionKey(sessionId), views, version: (version ?? 0) + 1, ttl: this.#ttl() },
          ...(version === undefined
            ? { ConditionExpression: 'attribute_not_exists(pk)' }
            : {
                ConditionExpression: '#version = :version',
                ExpressionAttributeNames: { '#version': 'version' },
                ExpressionAttributeValues: { ':version': version },
              }),
        },
      },
      onConditionFailed: (options) => new ConcurrencyConflictError(`session ${sessionId}`, options),
    };
  }

  #countWrite(minute: Minute, { views, productViews, sessions }: MinuteCounts): ConditionalWrite {
    return {
      write: {
        Update: {
          TableName: this.#table.name,
          Key: { pk: `MINUTES#${dayOf(minute)}`, sk: minute },
          UpdateExpression: 'ADD #views :views, productViews :productViews, sessions :sessions SET #ttl = :ttl',
          ExpressionAttributeNames: { '#views': 'views', '#ttl': 'ttl' },
          ExpressionAttributeValues: {
            ...{ ':views': views, ':productViews': productViews, ':sessions': sessions },
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

function dayOf(minute: Minute): string {
  return minute.slice(0, 'yyyy-mm-dd'.length);
}

function daysOf(from: Minute, to: Minute): string[] {
  return [...new Set([dayOf(from), dayOf(to)])];
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
