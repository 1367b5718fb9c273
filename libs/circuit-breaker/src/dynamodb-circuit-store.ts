import { GetCommand, PutCommand } from '@millrace/aws';
import type { Table } from '@millrace/event-store';
import { type Circuit, newCircuit } from './circuit.ts';
import type { CircuitStore, StoredCircuit } from './circuit-store.ts';

/**
 * Keeps a circuit in one item of a table of the service. Each write is conditional on the revision that it was decided on, so of two
 * containers that open, probe or close at once one succeeds.
 *
 * @example new DynamoDbCircuitStore(tableFromEnvironment(), { pk: 'CIRCUIT#payment-provider', sk: 'CIRCUIT' });
 */
export class DynamoDbCircuitStore implements CircuitStore {
  readonly #table: Table;
  readonly #key: Record<string, string>;

  /** @param key all key attributes of the item */
  constructor(table: Table, key: Record<string, string>) {
    this.#table = table;
    this.#key = key;
  }

  async load(): Promise<StoredCircuit> {
    const get = new GetCommand({ TableName: this.#table.name, Key: this.#key, ConsistentRead: true });
    const { Item } = await this.#table.client.send(get);
    return { circuit: circuitFrom(Item?.circuit) ?? newCircuit, revision: Item?.revision ?? 0 };
  }

  async save(circuit: Circuit, expectedRevision: number): Promise<boolean> {
    const put = new PutCommand({
      TableName: this.#table.name,
      Item: { ...this.#key, circuit, revision: expectedRevision + 1 },
      ...(expectedRevision === 0
        ? { ConditionExpression: 'attribute_not_exists(revision)' }
        : {
            ConditionExpression: 'revision = :expected',
            ExpressionAttributeValues: { ':expected': expectedRevision },
          }),
    });
    try {
      await this.#table.client.send(put);
      return true;
    } catch (error) {
      if ((error as Error).name === 'ConditionalCheckFailedException') return false;
      throw error;
    }
  }
}

/** A circuit that another version of this code wrote, or a person, begins anew: calls must not fail for it. */
function circuitFrom(stored: Partial<Record<string, unknown>> | undefined): Circuit | undefined {
  const { status, window, probeAt, owner, leaseUntil } = stored ?? {};
  const isNumber = (...values: unknown[]) => values.every((value) => typeof value === 'number');
  const { startedAt, current, previous, run } = (window ?? {}) as Partial<Record<string, Record<string, unknown>>>;
  const isKnown =
    (status === 'closed' &&
      isNumber(startedAt, current?.failures, current?.successes, previous?.failures, previous?.successes) &&
      isNumber(run?.since, run?.failures)) ||
    (status === 'open' && isNumber(probeAt)) ||
    (status === 'half-open' && typeof owner === 'string' && isNumber(leaseUntil));
  return isKnown ? (stored as Circuit) : undefined;
}
