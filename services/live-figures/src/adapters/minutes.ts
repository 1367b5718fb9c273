import { paginateQuery } from '@millrace/aws';
import {
  ConcurrencyConflictError,
  type ConditionalWrite,
  commit,
  replaceRow,
  retryOnConflict,
  type Table,
  tableFromEnvironment,
} from '@millrace/event-store';
import type { Event } from '@millrace/events';
import { countEvents, minuteOf, type Page, type Slot, slotOf, sumOf } from '../domain/minute.ts';
import type { MinuteFigures } from '../domain/report.ts';
import { figuresOfViews, type ViewCounts } from '../domain/view-counts.ts';
import { retentionFromEnvironment } from './retention.ts';

/** What became of an event: it is counted, was counted before, or could not be. */
export type Outcome = 'counted' | 'known' | Error;

interface MinutesOptions {
  retentionDays: number;
  now?: () => Date;
}

/** A slot as this container has read or written it last. */
interface KnownSlot extends Slot {
  /** Of its open page. */
  version: number;
  /** Another container writes to it, too. */
  isShared: boolean;
}

/** Mostly those of now: what is late is read. */
const REMEMBERED_SLOTS = 12;

/**
 * Figures by minute. Ten seconds are some pages, items with figures and the marks of the events that they count, of which the last one is
 * written. So events of the same seconds that come together are one write, and each counts once. What visitors looked at
 * is an item for each minute beside them, which `Sessions` writes.
 */
export class Minutes {
  readonly #table: Table;
  readonly #slots = new Map<string, KnownSlot>();
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
        ProjectionExpression: 'sk, figures, #views, productViews, sessions, viewers',
        ExpressionAttributeNames: { '#views': 'views' },
        ExpressionAttributeValues: { ':day': partitionOf(day), ':from': from, ':to': to },
      });
      for await (const { Items = [] } of pages) {
        for (const item of Items) {
          const minute = minuteOf(item.sk);
          const figures = item.figures ?? figuresOfViews(item as ViewCounts);
          found.set(minute, [...(found.get(minute) ?? []), figures]);
        }
      }
    }
    return [...found].map(([minute, figures]) => ({ minute, figures: sumOf(figures) }));
  }

  /** @returns the events that were counted before */
  async #add(name: string, events: readonly Event[]): Promise<ReadonlySet<Event>> {
    const slot = await this.#slotOf(name);
    const { page, number, known } = countEvents(slot, events);
    const isNew = slot.open === undefined || number > slot.closedPages;
    if (page.seen.length === (isNew ? 0 : slot.open?.seen.length)) return known;
    const version = isNew ? 0 : slot.version;
    // Whatever happens to the write, what was known of the slot may be wrong by then.
    this.#slots.delete(name);
    try {
      await commit(this.#table.client, [this.#write(name, number, page, version)]);
    } catch (error) {
      if (error instanceof ConcurrencyConflictError) this.#remember(name, { ...slot, isShared: true });
      throw error;
    }
    const closed = isNew && slot.open ? new Set([...slot.closed, ...slot.open.seen]) : slot.closed;
    this.#remember(name, { ...slot, closed, closedPages: number, open: page, version: version + 1 });
    return known;
  }

  /**
   * What is known of a slot. This container need not read what it has written itself, for a write states the version that it is based on.
   * Once another one was faster, it reads what has come since, before it writes: the pages that were full before are as they were.
   */
  async #slotOf(name: string): Promise<KnownSlot> {
    const remembered = this.#slots.get(name);
    if (remembered && !remembered.isShared) return remembered;
    const slot = remembered ?? { closed: new Set<string>(), closedPages: 0, version: 0, isShared: false };
    const pages: (Page & { version: number })[] = [];
    const found = paginateQuery(this.#table.client, {
      TableName: this.#table.name,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :day AND sk BETWEEN :from AND :to',
      ExpressionAttributeValues: {
        ':day': partitionOf(name.slice(0, 'yyyy-mm-dd'.length)),
        ':from': pageKey(name, slot.closedPages),
        ':to': `${name}#~`,
      },
    });
    for await (const { Items = [] } of found) {
      for (const { figures, seen, version } of Items) pages.push({ figures, seen: marksOf(seen), version });
    }
    const open = pages.pop();
    const closed = pages.length > 0 ? new Set([...slot.closed, ...pages.flatMap(({ seen }) => seen)]) : slot.closed;
    return { ...slot, closed, closedPages: slot.closedPages + pages.length, open, version: open?.version ?? 0 };
  }

  #write(slot: string, number: number, { figures, seen }: Page, version: number): ConditionalWrite {
    const ttl = Math.floor(this.#options.now().getTime() / 1000) + this.#options.retentionDays * 86_400;
    const key = minuteKey(pageKey(slot, number));
    const row = { ...key, figures, seen: Buffer.from(seen.join(''), 'base64url'), ttl };
    return replaceRow(this.#table.name, row, version, `of slot ${slot}`);
  }

  #remember(name: string, slot: KnownSlot): void {
    this.#slots.set(name, slot);
    for (const oldest of this.#slots.keys()) {
      if (this.#slots.size <= REMEMBERED_SLOTS) break;
      this.#slots.delete(oldest);
    }
  }
}

/** `2026-01-15T09:30:1#0007` */
function pageKey(slot: string, number: number): string {
  return `${slot}#${String(number).padStart(4, '0')}`;
}

/** Marks as they are stored, one behind the other. */
function marksOf(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
  return text.match(/.{12}/g) ?? [];
}

/**
 * Where figures are: a page of ten seconds of events (`2026-01-15T09:30:1#0007`), or a minute of views (`2026-01-15T09:30:views`).
 * @param place begins with the minute
 */
export function minuteKey(place: string): { pk: string; sk: string } {
  return { pk: partitionOf(place.slice(0, 'yyyy-mm-dd'.length)), sk: place };
}

function partitionOf(day: string): string {
  return `MINUTES#${day}`;
}

/** Every day that a range touches. */
export function daysOf(from: string, to: string): string[] {
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
