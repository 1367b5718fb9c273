import { type AttributeValue, type Item, sortableKey, typeOf, valueSize } from './attribute-value.ts';
import { validationError } from './dynamodb-error.ts';

const MAX_PARTITION_KEY_BYTES = 2048;
const MAX_SORT_KEY_BYTES = 1024;

/** A key attribute. */
export interface KeyAttribute {
  name: string;
  type: 'S' | 'N' | 'B';
}

/** The key of a table or index. */
export interface KeySchema {
  partitionKey: KeyAttribute;
  sortKey?: KeyAttribute;
}

/** The key attributes of a schema, the partition key first. */
export function keyAttributes({ partitionKey, sortKey }: KeySchema): KeyAttribute[] {
  return sortKey ? [partitionKey, sortKey] : [partitionKey];
}

/**
 * The key of a request that names one item.
 * @throws DynamoDbError ValidationException when it is not a key of this schema, and nothing else
 */
export function readKey(key: Item, schema: KeySchema): Item {
  const attributes = keyAttributes(schema);
  const matches =
    Object.keys(key).length === attributes.length &&
    attributes.every(({ name, type }) => Object.hasOwn(key, name) && typeOf(key[name] as AttributeValue) === type);
  if (!matches) throw validationError('The provided key element does not match the schema');
  assertKeyValues(key, schema);
  return key;
}

/** @throws DynamoDbError ValidationException unless the item has the table's key */
export function assertHasKey(item: Item, schema: KeySchema): void {
  for (const { name, type } of keyAttributes(schema)) {
    const value = Object.hasOwn(item, name) ? item[name] : undefined;
    if (!value) {
      throw validationError(`One or more parameter values were invalid: Missing the key ${name} in the item`);
    }
    if (typeOf(value) !== type) {
      throw validationError(
        `One or more parameter values were invalid: Type mismatch for key ${name} expected: ${type} actual: ${typeOf(value)}`,
      );
    }
  }
  assertKeyValues(item, schema);
}

/** @throws DynamoDbError ValidationException when the item has an index's key attribute of another type, or an empty one */
export function assertFitsIndex(item: Item, index: string, schema: KeySchema): void {
  for (const { name, type } of keyAttributes(schema)) {
    const value = Object.hasOwn(item, name) ? item[name] : undefined;
    if (!value) continue;
    if (typeOf(value) !== type) {
      throw validationError(
        `One or more parameter values were invalid: Type mismatch for Index Key ${name} Expected: ${type} Actual: ${typeOf(value)} IndexName: ${index}`,
      );
    }
    if (isEmpty(value)) {
      throw validationError(
        `One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty ${kindOf(type)} value. IndexName: ${index}, IndexKey: ${name}`,
      );
    }
  }
}

/** The key alone of an item. */
export function keyOf(item: Item, schema: KeySchema): Item {
  return Object.fromEntries(keyAttributes(schema).map(({ name }) => [name, item[name] as AttributeValue]));
}

/** The place of an item in its table; undefined in an index when the item has no key of the index, or one of another type. */
export function placeOf(item: Item, { partitionKey, sortKey }: KeySchema, tie = ''): Place | undefined {
  const partition = keyValue(item, partitionKey);
  if (!partition) return undefined;
  if (!sortKey) return { partition: sortableKey(partition), sort: '', tie };
  const sort = keyValue(item, sortKey);
  return sort && { partition: sortableKey(partition), sort: sortableKey(sort), tie };
}

function keyValue(item: Item, { name, type }: KeyAttribute): AttributeValue | undefined {
  const value = Object.hasOwn(item, name) ? item[name] : undefined;
  return value && typeOf(value) === type && !isEmpty(value) ? value : undefined;
}

function assertKeyValues(item: Item, { partitionKey, sortKey }: KeySchema): void {
  for (const { name, type } of keyAttributes({ partitionKey, ...(sortKey && { sortKey }) })) {
    if (!isEmpty(item[name] as AttributeValue)) continue;
    throw validationError(
      `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${kindOf(type)} value. Key: ${name}`,
    );
  }
  if (valueSize(item[partitionKey.name] as AttributeValue) > MAX_PARTITION_KEY_BYTES) {
    throw validationError(
      `One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of${MAX_PARTITION_KEY_BYTES} bytes`,
    );
  }
  if (sortKey && valueSize(item[sortKey.name] as AttributeValue) > MAX_SORT_KEY_BYTES) {
    throw validationError(
      `One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of ${MAX_SORT_KEY_BYTES} bytes`,
    );
  }
}

function isEmpty(value: AttributeValue): boolean {
  return ('S' in value && value.S === '') || ('B' in value && value.B === '');
}

function kindOf(type: string): string {
  return type === 'B' ? 'binary' : 'string';
}

/** A place as a text of its own, which no other place has. */
export function placeId({ partition, sort }: Place): string {
  return `${partition.length}:${partition}${sort}`;
}

/** The elements of a key schema, as the API has them. */
export function schemaElements({ partitionKey, sortKey }: KeySchema): { AttributeName: string; KeyType: string }[] {
  return [
    { AttributeName: partitionKey.name, KeyType: 'HASH' },
    ...(sortKey ? [{ AttributeName: sortKey.name, KeyType: 'RANGE' }] : []),
  ];
}

/**
 * The place of an item: its keys in their sortable form. In an index several items may have the same keys: `tie`, the
 * place in the table as text, tells them apart.
 */
export interface Place {
  partition: string;
  sort: string;
  tie: string;
}
