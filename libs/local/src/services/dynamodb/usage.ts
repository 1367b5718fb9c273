import type { Usage } from '../../core/usage.ts';

type Attributes = Record<string, unknown>;

interface Written {
  table: string;
  /** At least the item's key. */
  attributes: Attributes;
}

interface Write {
  TableName: string;
  Item?: Attributes;
  Key?: Attributes;
}

interface Input {
  TableName?: string;
  Item?: Attributes;
  Key?: Attributes;
  RequestItems?: Record<string, { PutRequest?: { Item: Attributes }; DeleteRequest?: { Key: Attributes } }[]>;
  TransactItems?: Record<string, Write>[];
}

/** An entry of ConsumedCapacity. */
export interface Consumed {
  TableName: string;
  CapacityUnits?: number;
}

/** One request to DynamoDB and what it has used. */
export interface DynamoDbExchange {
  operation: string;
  input: unknown;
  consumed?: Consumed | Consumed[] | undefined;
  errorName?: string | undefined;
}

const READS = new Set(['GetItem', 'BatchGetItem', 'Query', 'Scan', 'TransactGetItems']);
const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'TransactWriteItems']);

/** Whether an operation uses read units, and not write units. */
export function isRead(operation: string): boolean {
  return READS.has(operation);
}

/** The tables that a request names. */
export function tablesOf(input: unknown): string[] {
  const { TableName, RequestItems, TransactItems } = input as Input;
  if (TableName !== undefined) return [TableName];
  if (RequestItems) return Object.keys(RequestItems);
  const actions = Array.isArray(TransactItems) ? TransactItems : [];
  return [
    ...new Set(actions.flatMap((action) => Object.values(action ?? {})).map((write) => String(write?.TableName))),
  ];
}

/** Whether an operation is billed by request units, which its answer tells when it is asked to (ReturnConsumedCapacity). */
export function hasCapacity(operation: string): boolean {
  return READS.has(operation) || WRITES.has(operation);
}

/**
 * Counts a request by the capacity its answer tells. A write whose condition fails has no answer that tells it, and is
 * billed all the same: one unit, in a transaction two for each item, which is right up to 1 KB.
 *
 * @param partitionKeyOf the name of a table's partition key; writes are counted by its value, too
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-unit-calculations.html
 */
export function countDynamoDb(
  usage: Usage,
  { operation, input, consumed, errorName }: DynamoDbExchange,
  partitionKeyOf: (table: string) => string | undefined,
): void {
  const units = unitsOf(operation, input as Input, consumed, errorName);
  const [first] = units.keys();
  if (first === undefined) return;
  usage.add('dynamodb.requests', first, 1, operation);
  for (const [table, amount] of units) {
    if (READS.has(operation)) usage.add('dynamodb.readUnits', table, amount, operation);
    else countWrites(usage, operation, table, amount, input as Input, partitionKeyOf(table));
  }
}

function countWrites(
  usage: Usage,
  operation: string,
  table: string,
  amount: number,
  input: Input,
  partitionKey: string | undefined,
): void {
  usage.add('dynamodb.writeUnits', table, amount, operation);
  if (partitionKey === undefined) return;
  const items = written(operation, input).filter((item) => item.table === table);
  // The answer has one sum for all items of a transaction, and most of them are below 1 KB.
  for (const { attributes } of items) {
    const [value] = Object.values((attributes[partitionKey] ?? {}) as Record<string, unknown>);
    usage.add('dynamodb.keyWriteUnits', `${table}/${value}`, amount / items.length);
  }
}

/** Units by table. */
function unitsOf(
  operation: string,
  input: Input,
  consumed: DynamoDbExchange['consumed'] = [],
  errorName: string | undefined,
): Map<string, number> {
  const units = new Map<string, number>();
  const add = (table: string, amount: number): void => {
    units.set(table, (units.get(table) ?? 0) + amount);
  };
  for (const { TableName, CapacityUnits = 0 } of [consumed].flat()) add(TableName, CapacityUnits);
  const failed = errorName === 'ConditionalCheckFailedException' || errorName === 'TransactionCanceledException';
  if (failed) for (const { table } of written(operation, input)) add(table, operation === 'TransactWriteItems' ? 2 : 1);
  return units;
}

function written(operation: string, input: Input): Written[] {
  switch (operation) {
    case 'BatchWriteItem':
      return Object.entries(input.RequestItems ?? {}).flatMap(([table, requests]) =>
        requests.map(({ PutRequest, DeleteRequest }) => ({
          table,
          attributes: PutRequest?.Item ?? DeleteRequest?.Key ?? {},
        })),
      );
    case 'TransactWriteItems':
      return (input.TransactItems ?? [])
        .flatMap((item) => Object.values(item))
        .map(({ TableName, Item, Key }) => ({ table: TableName, attributes: Item ?? Key ?? {} }));
    default:
      return [{ table: input.TableName ?? '', attributes: input.Item ?? input.Key ?? {} }];
  }
}
