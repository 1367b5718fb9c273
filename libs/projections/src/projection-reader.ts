import { QueryCommand } from '@millrace/aws';
import { partitionKey } from './change.ts';
import type { Projection } from './define-projection.ts';
import { Pointers } from './pointers.ts';
import type { ProjectionTable } from './projection-table.ts';

/** Rows that one call looks at, at most: its cost does not grow with the partition. */
const MAX_READ = 1_000;

/** Which rows of a partition to read; the first ones, ascending, unless told otherwise. */
export interface RowQuery<Row> {
  /** The lowest and the highest `sort`, both included. */
  between?: readonly [from: string, to: string];
  direction?: 'ascending' | 'descending';
  /** Only rows beyond this `sort`, in the direction of reading. */
  after?: string | undefined;
  /** How many rows at most, up to 1,000, which is the default. */
  limit?: number;
  /** Only rows with these values. */
  where?: Partial<Row>;
}

/** Some rows of a partition. */
export interface RowPage<Row> {
  rows: PlacedRow<Row>[];
  /** Goes into `after` for the next page; absent when there is none. A page may be short, or empty, and have a next one. */
  next?: string;
}

/** A row and its place in its partition. */
export interface PlacedRow<Row> {
  sort: string;
  row: Row;
}

/** Reads projections: always one whole version, also while another one takes its place. */
export class ProjectionReader {
  readonly #table: ProjectionTable;
  readonly #pointers: Pointers;

  constructor(table: ProjectionTable) {
    this.#table = table;
    this.#pointers = new Pointers(table);
  }

  /**
   * A page of the rows of one partition, strongly consistent. It looks at 1,000 rows at most, whatever `where` leaves of them.
   * @example
   * const { rows, next } = await reader.query(ordersByCustomer, customerId, { where: { status: 'PLACED' }, limit: 20 });
   */
  async query<Row extends object>(
    projection: Projection<Row>,
    partition: string,
    query: RowQuery<Row> = {},
  ): Promise<RowPage<Row>> {
    for (;;) {
      const version = await this.#pointers.live(projection.name);
      const page = await this.#page<Row>(partitionKey(projection.name, version, partition), query);
      // Rows are deleted only once another version is live: if this one still is, they were all there.
      if ((await this.#pointers.live(projection.name)) === version) return page;
    }
  }

  async #page<Row>(pk: string, query: RowQuery<Row>): Promise<RowPage<Row>> {
    const { between, direction = 'ascending', after, limit = MAX_READ, where = {} } = query;
    const wanted = Object.entries(where).filter(([, value]) => value !== undefined);
    // One row more than asked for tells whether there is another page.
    const Limit = wanted.length > 0 ? MAX_READ : Math.min(limit, MAX_READ) + 1;
    const { Items = [], LastEvaluatedKey } = await this.#table.client.send(
      new QueryCommand({
        TableName: this.#table.tableName,
        KeyConditionExpression: `pk = :pk${between ? ' AND sk BETWEEN :from AND :to' : ''}`,
        ...(wanted.length > 0 && {
          FilterExpression: wanted.map((_, index) => `#row.#name${index} = :value${index}`).join(' AND '),
          ExpressionAttributeNames: {
            '#row': 'row',
            ...Object.fromEntries(wanted.map(([name], index) => [`#name${index}`, name])),
          },
        }),
        ExpressionAttributeValues: {
          ':pk': pk,
          ...(between && { ':from': between[0], ':to': between[1] }),
          ...Object.fromEntries(wanted.map(([, value], index) => [`:value${index}`, value])),
        },
        ScanIndexForward: direction === 'ascending',
        ConsistentRead: true,
        ExclusiveStartKey: after === undefined ? undefined : { pk, sk: after },
        Limit,
      }),
    );
    const rows = Items.slice(0, limit).map(({ sk, row }): PlacedRow<Row> => ({ sort: sk, row }));
    const next = Items.length > limit ? rows.at(-1)?.sort : (LastEvaluatedKey?.sk as string | undefined);
    return { rows, ...(next !== undefined && { next }) };
  }
}
