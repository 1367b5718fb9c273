import { paginateQuery } from '@millrace/aws';
import {
  type ConditionalWrite,
  commit,
  idOf,
  readItems,
  replaceRow,
  retryOnConflict,
  type Table,
  tableFromEnvironment,
} from '@millrace/event-store';
import { type CustomerState, countOrders, type DayChanges, type PlacedOrder, sumByDay } from '../domain/cohorts.ts';
import type { Figures } from '../domain/projection.ts';
import type { Outcome } from './minutes.ts';
import { retentionFromEnvironment } from './retention.ts';

interface CohortsOptions {
  retentionDays: number;
  now?: () => Date;
  random?: () => number;
}

/** A day has as many items: transactions on the same one would keep each other waiting. */
const SHARDS = 4;
/** DynamoDB takes 100 in a transaction. An order brings its customer, its day, and the two days between which a customer moves. */
const ORDERS_PER_TRANSACTION = 25;

/**
 * First and repeat orders, by pseudonym. What is known of a customer and what that changes in the figures of days is one transaction,
 * so each order counts once, whenever the process ends.
 */
export class Cohorts {
  readonly #table: Table;
  readonly #options: Required<CohortsOptions>;

  constructor(table: Table, { retentionDays, now = () => new Date(), random = Math.random }: CohortsOptions) {
    this.#table = table;
    this.#options = { retentionDays, now, random };
  }

  /**
   * Counts orders, each once.
   * @returns what became of each, in their order
   * @example const outcomes = await cohorts.record(orders);
   */
  async record(orders: readonly PlacedOrder[]): Promise<Outcome[]> {
    const outcomes = new Map<PlacedOrder, Outcome>();
    for (const some of portionsOf(orders)) {
      try {
        const known = await retryOnConflict(() => this.#add(some));
        for (const order of some) outcomes.set(order, known.has(order) ? 'known' : 'counted');
      } catch (error) {
        for (const order of some) outcomes.set(order, error as Error);
      }
    }
    return orders.map((order) => outcomes.get(order) ?? 'known');
  }

  /** The figures of the days from `from` to before `to`, `2026-01-15`, on which something happened. */
  async between(from: string, to: string): Promise<ReadonlyMap<string, Figures>> {
    const found: [string, Figures][] = [];
    for (let year = Number(from.slice(0, 4)); year <= Number(to.slice(0, 4)); year += 1) {
      const pages = paginateQuery(this.#table.client, {
        TableName: this.#table.name,
        // What is of the day `to` has it and more as its key, and so comes behind it.
        KeyConditionExpression: 'pk = :year AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':year': partitionOf(String(year)), ':from': from, ':to': to },
      });
      for await (const { Items = [] } of pages) {
        // Items of an earlier release have a `ttl`.
        for (const { pk: _pk, sk, ttl: _ttl, ...figures } of Items)
          found.push([sk.slice(0, 'yyyy-mm-dd'.length), figures]);
      }
    }
    return sumByDay(found);
  }

  /** @returns the orders that were counted before */
  async #add(orders: readonly PlacedOrder[]): Promise<ReadonlySet<PlacedOrder>> {
    const { client, name } = this.#table;
    const byCustomer = Map.groupBy(orders, ({ data }) => data.customer.id);
    const items = await readItems(client, name, [...byCustomer.keys()].map(customerKey));
    const all = new Set<PlacedOrder>();
    const customers: ConditionalWrite[] = [];
    const changed: DayChanges[] = [];
    for (const [pseudonym, some] of byCustomer) {
      const item = items.get(idOf(customerKey(pseudonym)));
      const { state, known, changes } = countOrders(item as CustomerState | undefined, some);
      for (const order of known) all.add(order);
      if (!state || changes.size === 0) continue;
      const row = { ...customerKey(pseudonym), ...state, ttl: this.#ttl() };
      customers.push(replaceRow(name, row, item?.version ?? 0, 'of a customer'));
      changed.push(changes);
    }
    if (customers.length === 0) return all;
    const days = sumByDay(changed.flatMap((changes) => [...changes]));
    const shard = Math.floor(this.#options.random() * SHARDS);
    await commit(client, [...customers, ...[...days].map(([day, figures]) => this.#dayWrite(day, shard, figures))]);
    return all;
  }

  /**
   * A day stays, unlike a customer: its items are written at different times, so they would go one by one, and leave sums that do not add
   * up. Four small items a day name no customer. One of an earlier release, which would go, stays once it is written again.
   */
  #dayWrite(day: string, shard: number, figures: Figures): ConditionalWrite {
    const named = Object.entries(figures).map(([name, amount], index) => ({ name, amount, index }));
    return {
      write: {
        Update: {
          TableName: this.#table.name,
          Key: { pk: partitionOf(day.slice(0, 4)), sk: `${day}#${shard}` },
          UpdateExpression: `ADD ${named.map(({ index }) => `#${index} :${index}`).join(', ')} REMOVE #ttl`,
          ExpressionAttributeNames: {
            '#ttl': 'ttl',
            ...Object.fromEntries(named.map(({ name, index }) => [`#${index}`, name])),
          },
          ExpressionAttributeValues: Object.fromEntries(named.map(({ amount, index }) => [`:${index}`, amount])),
        },
      },
    };
  }

  #ttl(): number {
    return Math.floor(this.#options.now().getTime() / 1000) + this.#options.retentionDays * 86_400;
  }
}

/** Orders in portions that fit into a transaction. */
function* portionsOf(orders: readonly PlacedOrder[]): Generator<readonly PlacedOrder[]> {
  for (let start = 0; start < orders.length; start += ORDERS_PER_TRANSACTION) {
    yield orders.slice(start, start + ORDERS_PER_TRANSACTION);
  }
}

function customerKey(pseudonym: string) {
  return { pk: `CUSTOMER#${pseudonym}`, sk: 'CUSTOMER' };
}

function partitionOf(year: string): string {
  return `COHORTS#${year}`;
}

/**
 * The cohorts in the table MILLRACE_TABLE, with customers that are kept for MILLRACE_COHORT_RETENTION_DAYS after their last order.
 * @throws ConfigurationError when one of them is not set, and for less time than an event may come again
 */
export function cohortsFromEnvironment(): Cohorts {
  return new Cohorts(tableFromEnvironment(), {
    retentionDays: retentionFromEnvironment('MILLRACE_COHORT_RETENTION_DAYS'),
  });
}
