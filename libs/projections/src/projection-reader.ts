import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { partitionKey } from './change.ts';
import type { Projection } from './define-projection.ts';
import { Pointers } from './pointers.ts';
import type { ProjectionTable } from './projection-table.ts';

/** Which rows of a partition to read; all, ascending, unless told otherwise. */
export interface RowQuery<Row> {
  /** The lowest and the highest `sort`, both included. */
  between?: readonly [from: string, to: string];
  direction?: 'ascending' | 'descending';
  /** Only rows beyond this `sort`, in the direction of reading. */
  after?: string | undefined;
  /** How many rows at most. */
  limit?: number;
  /** Only rows with these values. */
  where?: Partial<Row>;
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

  /** The rows of one partition, strongly consistent. */
  async query<Row extends object>(
    projection: Projection<Row>,
    partition: string,
    query: RowQuery<Row> = {},
  ): Promise<PlacedRow<Row>[]> {
    for (;;) {
      const version = await this.#pointers.live(projection.name);
      const rows = await this.#rows<Row>(partitionKey(projection.name, version, partition), query);
      // Rows are deleted only once another version is live: if this one still is, they were all there.
      if ((await this.#pointers.live(projection.name)) === version) return rows;
    }
  }

  async #rows<Row>(pk: string, query: RowQuery<Row>): Promise<PlacedRow<Row>[]> {
    const { between, direction = 'ascending', after, limit = Number.POSITIVE_INFINITY, where = {} } = query;
    const wanted = Object.entries(where).filter(([, value]) => value !== undefined);
    const rows: PlacedRow<Row>[] = [];
    let from = after === undefined ? undefined : { pk, sk: after };
    do {
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
          ExclusiveStartKey: from,
          ...(wanted.length === 0 && Number.isFinite(limit) && { Limit: limit - rows.length }),
        }),
      );
      for (const { sk, row } of Items) if (rows.length < limit) rows.push({ sort: sk, row });
      from = LastEvaluatedKey as typeof from;
    } while (from && rows.length < limit);
    return rows;
  }
}
