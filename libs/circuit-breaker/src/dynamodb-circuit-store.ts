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
    return { circuit: (Item?.circuit as Circuit | undefined) ?? newCircuit, revision: Number(Item?.revision ?? 0) };
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
