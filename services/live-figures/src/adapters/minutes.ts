import { paginateQuery } from '@millrace/aws';
import {
  ConcurrencyConflictError,
  commit,
  idOf,
  readItems,
  retryOnConflict,
  type Table,
  tableFromEnvironment,
} from '@millrace/event-store';
import type { Event } from '@millrace/events';
import { countEvents, minuteOf, type SlotState, slotOf, sumOf } from '../domain/minute.ts';
import type { MinuteFigures } from '../domain/report.ts';
import { retentionFromEnvironment } from './retention.ts';

/** What became of an event: it is counted, was counted before, or could not be. */
export type Outcome = 'counted' | 'known' | Error;

interface MinutesOptions {
  retentionDays: number;
  now?: () => Date;
}

/**
 * Figures by minute. Ten seconds are one item with their figures and the marks of the events that they count, so events of the
 * same seconds that come together are one write, and each counts once.
 */
export class Minutes {
  readonly #table: Table;
  readonly #options: Required<MinutesOptions>;

  constructor(table: Table, { retentionDays, now = () => new Date() }: MinutesOptions) {
    this.#table = table;
    this.#options = { retentionDays, now };
  }

  /**
   * Counts events, each once, in the minutes in which they happened.
   * @returns what became of each, in their order
   * @example const outcomes = await minutes.record(events);
   */
  async record(events: readonly Event[]): Promise<Outcome[]> {
    const bySlot = Map.groupBy(events, slotOf);
    const outcomes = new Map<Event, Outcome>();
    await Promise.all(
      [...bySlot].map(async ([slot, some]) => {
        try {
          const known = await retryOnConflict(() => this.#add(slot, some));
          for (const event of some) outcomes.set(event, known.has(event) ? 'known' : 'counted');
        } catch (error) {
          for (const event of some) outcomes.set(event, error as Error);
        }
      }),
    );
    return events.map((event) => outcomes.get(event) ?? 'known');
  }

  /** The minutes from `from` to before `to` in which something happened, in their order. */
  async between(from: string, to: string): Promise<MinuteFigures[]> {
    const found = new Map<string, MinuteFigures['figures'][]>();
    for (const day of daysOf(from, to)) {
      const pages = paginateQuery(this.#table.client, {
        TableName: this.#table.name,
        // What happens in the minute `to` has it and more as its key, and so comes behind it.
        KeyConditionExpression: 'pk = :day AND sk BETWEEN :from AND :to',
        ProjectionExpression: 'sk, figures',
        ExpressionAttributeValues: { ':day': partitionOf(day), ':from': from, ':to': to },
      });
      for await (const { Items = [] } of pages) {
        for (const { sk, figures } of Items) {
          const minute = minuteOf(sk);
          found.set(minute, [...(found.get(minute) ?? []), figures]);
        }
      }
    }
    return [...found].map(([minute, figures]) => ({ minute, figures: sumOf(figures) }));
  }

  /** @returns the events that were counted before */
  async #add(slot: string, events: readonly Event[]): Promise<ReadonlySet<Event>> {
    const { client, name } = this.#table;
    const key = { pk: partitionOf(slot.slice(0, 'yyyy-mm-dd'.length)), sk: slot };
    const item = (await readItems(client, name, [key])).get(idOf(key));
    const stored = item as SlotState | undefined;
    const { state, known } = countEvents(stored, events);
    if (state.seen.length === stored?.seen.length) return known;
    const version: number = item?.version ?? 0;
    const ttl = Math.floor(this.#options.now().getTime() / 1000) + this.#options.retentionDays * 86_400;
    await commit(client, [
      {
        write: {
          Put: {
            TableName: name,
            Item: { ...key, figures: state.figures, seen: state.seen, version: version + 1, ttl },
            ...(version === 0
              ? { ConditionExpression: 'attribute_not_exists(pk)' }
              : {
                  ConditionExpression: '#version = :version',
                  ExpressionAttributeNames: { '#version': 'version' },
                  ExpressionAttributeValues: { ':version': version },
                }),
          },
        },
        onConditionFailed: (options) => new ConcurrencyConflictError(`slot ${slot}`, options),
      },
    ]);
    return known;
  }
}

function partitionOf(day: string): string {
  return `MINUTES#${day}`;
}

/** Every day that a range touches. */
function daysOf(from: string, to: string): string[] {
  const days: string[] = [];
  const last = to.slice(0, 'yyyy-mm-dd'.length);
  for (let time = Date.parse(`${from.slice(0, 'yyyy-mm-dd'.length)}Z`); ; time += 86_400_000) {
    const day = new Date(time).toISOString().slice(0, 'yyyy-mm-dd'.length);
    if (day > last) return days;
    days.push(day);
  }
}

/**
 * The figures in the table MILLRACE_TABLE, kept for MILLRACE_FIGURE_RETENTION_DAYS.
 * @throws ConfigurationError when one of them is not set, and for less time than an event may come again
 */
export function minutesFromEnvironment(): Minutes {
  return new Minutes(tableFromEnvironment(), {
    retentionDays: retentionFromEnvironment('MILLRACE_FIGURE_RETENTION_DAYS'),
  });
}
