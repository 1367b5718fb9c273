import { Random } from './random.ts';
import type { TableName } from './tables.ts';

/** One request. */
export interface Operation {
  operation: string;
  // Some requests are wrong on purpose.
  input: Record<string, unknown>;
}

type Value = Record<string, unknown>;
type Item = Record<string, Value>;

/** Requests that follow from a seed. They use few keys, so that they meet, and some of them are wrong on purpose. */
export function* randomOperations(seed: number, count: number): Generator<Operation> {
  const maker = new OperationMaker(new Random(seed));
  for (let made = 0; made < count; made += 1) yield maker.make(made);
}

const names = ['n', 'word', 'tags', 'list', 'map', 'flag', 'extra'] as const;
const comparators = ['=', '<>', '<', '<=', '>', '>='] as const;

class OperationMaker {
  readonly #random: Random;
  /** The placeholders of the request that is being made. */
  #names: Record<string, string> = {};
  #values: Record<string, Value> = {};

  constructor(random: Random) {
    this.#random = random;
  }

  make(number: number): Operation {
    const random = this.#random;
    this.#names = {};
    this.#values = {};
    const kind = random.between(1, 100);
    if (kind <= 22) return this.#put();
    if (kind <= 48) return this.#update();
    if (kind <= 56) return this.#delete();
    if (kind <= 64) return this.#get();
    if (kind <= 76) return this.#query();
    if (kind <= 83) return this.#scan();
    if (kind <= 86) return this.#batchGet();
    if (kind <= 90) return this.#batchWrite();
    if (kind <= 97) return this.#transactWrite(number);
    return this.#transactGet();
  }

  #table(): TableName {
    return this.#random.one(['plain', 'plain', 'indexed', 'indexed', 'indexed', 'binary']);
  }

  #key(table: TableName): Item {
    const random = this.#random;
    const pk = { S: random.rarely(60) ? random.one(['', 'ä', 'Z']) : random.one(['a', 'b', 'c', 'd']) };
    if (random.rarely(80)) return { pk: { N: '1' } };
    if (table === 'plain') return random.rarely(80) ? { pk, sk: { N: '1' } } : { pk };
    if (table === 'binary') return { pk, sk: { B: random.one(['AA==', 'AQ==', '/w==', 'AQI=', 'AP8=']) } };
    return { pk, sk: { N: random.one(['-1.5', '0', '1', '2', '10', '1e1', '100.0', '-0']) } };
  }

  #scalar(): Value {
    const random = this.#random;
    return random.one<() => Value>([
      () => ({ S: random.one(['', 'x', 'flour', 'flower', 'Ä', '10', '😀']) }),
      () => ({ N: random.one(['0', '1', '-1', '2.50', '1e3', '100', '0.001', '12345678901234567890', '-7.25']) }),
      () => ({ B: random.one(['', 'AQ==', 'AQID']) }),
      () => ({ BOOL: random.rarely(2) }),
      () => ({ NULL: true }),
    ])();
  }

  #set(): Value {
    const random = this.#random;
    const some = (all: string[]) => all.filter(() => random.rarely(2)).concat(all.slice(0, 1));
    const unique = (values: string[]) => [...new Set(values)];
    return random.one<() => Value>([
      () => ({ SS: unique(some(['x', 'y', 'z'])) }),
      () => ({ NS: unique(some(['1', '2', '3.5'])) }),
      () => ({ BS: unique(some(['AQ==', 'Ag=='])) }),
    ])();
  }

  #value(depth = 0): Value {
    const random = this.#random;
    const kind = random.between(1, 10);
    if (kind <= 6 || depth > 2) return this.#scalar();
    if (kind === 7) return this.#set();
    if (kind === 8) return { L: random.list(0, 3, () => this.#value(depth + 1)) };
    if (kind === 9) {
      return { M: Object.fromEntries(random.list(0, 3, () => [random.one(['a', 'b', 'n']), this.#value(depth + 1)])) };
    }
    // Wrong on purpose.
    return random.rarely(6)
      ? random.one<Value>([
          { N: 'x' },
          { NS: ['1', '1.0'] },
          { SS: [] },
          { NULL: false },
          { S: 'a', N: '1' },
          { N: '1e200' },
          { N: '1'.repeat(40) },
        ])
      : this.#scalar();
  }

  /** What suits an attribute, most of the time. */
  #valueOf(name: string): Value {
    const random = this.#random;
    if (random.rarely(12)) return this.#value();
    if (name === 'n') return { N: random.one(['0', '1', '5', '5.0', '10', '-3']) };
    if (name === 'word') return { S: random.one(['flour', 'flower', 'sugar', 'x']) };
    if (name === 'tags') return { SS: random.one([['x'], ['x', 'y'], ['y', 'z']]) };
    if (name === 'list') return { L: random.list(0, 3, () => this.#scalar()) };
    if (name === 'map') return { M: { a: this.#scalar(), list: { L: random.list(0, 2, () => this.#scalar()) } } };
    return this.#value();
  }

  #item(table: TableName): Item {
    const random = this.#random;
    const item: Item = { ...this.#key(table) };
    for (const name of names) if (random.rarely(2)) item[name] = this.#valueOf(name);
    return item;
  }

  #placeholder(value: Value): string {
    const name = `:v${Object.keys(this.#values).length}`;
    this.#values[name] = value;
    return name;
  }

  #name(name: string): string {
    // `list` and `map` are reserved words.
    if (!this.#random.rarely(4) && !['list', 'map'].includes(name)) return name;
    const placeholder = `#${name}`;
    this.#names[placeholder] = name;
    return placeholder;
  }

  #path(): { text: string; name: string } {
    const random = this.#random;
    const name = random.one(names);
    const text = this.#name(name);
    if (name === 'list' && random.rarely(2)) return { text: `${text}[${random.one([0, 1, 2, 99])}]`, name: 'extra' };
    if (name === 'map' && random.rarely(2))
      return { text: `${text}.${random.one(['a', 'b', this.#name('list')])}`, name: 'extra' };
    return { text, name };
  }

  #condition(depth = 0, without: readonly string[] = []): string {
    const random = this.#random;
    if (depth < 2 && random.rarely(4)) {
      const [left, right] = [this.#condition(depth + 1, without), this.#condition(depth + 1, without)];
      return random.one([`${left} AND ${right}`, `(${left} OR ${right})`, `NOT ${left}`, `${left} or ${right}`]);
    }
    let path = this.#path();
    while (without.includes(path.name)) path = this.#path();
    const { text, name } = path;
    const value = () => this.#placeholder(this.#valueOf(name));
    // Others have no order.
    const sortable = () =>
      random.rarely(20) ? value() : this.#placeholder(this.#valueOf(name === 'word' ? 'word' : 'n'));
    return random.one<() => string>([
      () => `${text} ${random.one(['=', '<>'])} ${value()}`,
      () => `${text} ${random.one(comparators)} ${sortable()}`,
      () => `attribute_exists(${text})`,
      () => `attribute_not_exists(${text})`,
      () =>
        `attribute_type(${text}, ${this.#placeholder({ S: random.one(['S', 'N', 'SS', 'L', 'M', 'NULL', 'BOOL', 'B']) })})`,
      () => `begins_with(${text}, ${this.#placeholder({ S: random.one(['fl', 'x', '']) })})`,
      () => `contains(${text}, ${value()})`,
      () => `contains(${text}, ${this.#placeholder(this.#scalar())})`,
      () => `${text} IN (${value()}, ${value()})`,
      () =>
        `${text} BETWEEN ${this.#placeholder({ N: '1' })} AND ${this.#placeholder({ N: random.one(['1', '5', '10']) })}`,
      () => `${text} BETWEEN ${sortable()} AND ${sortable()}`,
      () => `size(${text}) ${random.one(comparators)} ${this.#placeholder({ N: random.one(['0', '1', '2', '5']) })}`,
    ])();
  }

  #updateExpression(): string {
    const random = this.#random;
    const used = new Set<string>();
    const path = (): { text: string; name: string } => {
      for (let tries = 0; tries < 20; tries += 1) {
        const found = this.#path();
        const root = (found.text.split(/[.[]/)[0] ?? '').replace('#', '');
        if (used.has(root) && !random.rarely(40)) continue;
        used.add(root);
        return found;
      }
      return { text: this.#name('extra'), name: 'extra' };
    };
    const value = (name: string) => this.#placeholder(this.#valueOf(name));
    const set = (): string => {
      const { text, name } = path();
      return random.one<() => string>([
        () => `${text} = ${value(name)}`,
        () => `${text} = ${value(name)}`,
        () => `${text} = if_not_exists(${text}, ${value(name)})`,
        () => `${text} = ${this.#path().text}`,
        () => `${text} = ${this.#name('n')} ${random.one(['+', '-'])} ${value('n')}`,
        () => `${text} = if_not_exists(${this.#name('n')}, ${value('n')}) + ${value('n')}`,
        () => `${text} = list_append(${this.#name('list')}, ${value('list')})`,
        () => `${text} = list_append(if_not_exists(${this.#name('list')}, ${value('list')}), ${value('list')})`,
      ])();
    };
    const sections: (() => string)[] = [
      () => `SET ${random.list(1, 3, set).join(', ')}`,
      () => `REMOVE ${random.list(1, 2, () => path().text).join(', ')}`,
      () =>
        `ADD ${random
          .list(1, 2, () => path())
          .map(({ text, name }) => `${text} ${value(name === 'n' ? 'n' : 'tags')}`)
          .join(', ')}`,
      () => `DELETE ${path().text} ${value('tags')}`,
    ];
    const chosen = sections.filter(() => random.rarely(3));
    return (chosen.length > 0 ? chosen : [random.one(sections)]).map((section) => section()).join(' ');
  }

  /** What a request says of its expressions' names and values. */
  #substitutions(): Record<string, unknown> {
    if (this.#random.rarely(100)) this.#placeholder({ S: 'unused' });
    return {
      ...(Object.keys(this.#names).length > 0 && { ExpressionAttributeNames: this.#names }),
      ...(Object.keys(this.#values).length > 0 && { ExpressionAttributeValues: this.#values }),
    };
  }

  #conditional(): Record<string, unknown> {
    return this.#random.rarely(3) ? { ConditionExpression: this.#condition() } : {};
  }

  #put(): Operation {
    const table = this.#table();
    const condition = this.#conditional();
    const ReturnValues = this.#random.one(['NONE', 'ALL_OLD', 'ALL_OLD', 'ALL_OLD']);
    const input = { TableName: table, Item: this.#item(table), ...condition, ReturnValues, ...this.#substitutions() };
    return { operation: 'PutItem', input: { ...input, ReturnConsumedCapacity: 'TOTAL' } };
  }

  #update(): Operation {
    const table = this.#table();
    const UpdateExpression = this.#updateExpression();
    const condition = this.#conditional();
    const ReturnValues = this.#random.one(['NONE', 'ALL_OLD', 'ALL_NEW', 'UPDATED_OLD', 'UPDATED_NEW']);
    const input = { TableName: table, Key: this.#key(table), UpdateExpression, ...condition, ReturnValues };
    return { operation: 'UpdateItem', input: { ...input, ...this.#substitutions() } };
  }

  #delete(): Operation {
    const table = this.#table();
    const condition = this.#conditional();
    const input = { TableName: table, Key: this.#key(table), ...condition, ReturnValues: 'ALL_OLD' };
    return { operation: 'DeleteItem', input: { ...input, ...this.#substitutions() } };
  }

  #projection(): Record<string, unknown> {
    if (!this.#random.rarely(3)) return {};
    return { ProjectionExpression: this.#random.list(1, 3, () => this.#path().text).join(', ') };
  }

  #get(): Operation {
    const table = this.#table();
    const projection = this.#projection();
    const names = Object.keys(this.#names).length > 0 ? { ExpressionAttributeNames: this.#names } : {};
    const input = {
      TableName: table,
      Key: this.#key(table),
      ...projection,
      ...names,
      ConsistentRead: this.#random.rarely(2),
    };
    return { operation: 'GetItem', input: { ...input, ReturnConsumedCapacity: 'TOTAL' } };
  }

  #query(): Operation {
    const random = this.#random;
    const table = this.#table();
    const index = table === 'indexed' ? random.one([undefined, 'byWord', 'byN', 'keysOnly']) : undefined;
    const pk = this.#placeholder({
      S: index === 'byN' || index === 'keysOnly' ? random.one(['flour', 'flower', 'x']) : random.one(['a', 'b', 'c']),
    });
    const partition = index === 'byN' || index === 'keysOnly' ? 'word' : 'pk';
    const sortKey =
      { byWord: 'word', byN: 'n', keysOnly: undefined }[index ?? 'keysOnly'] ??
      (index || table === 'plain' ? undefined : 'sk');
    const sortValue = (): Value =>
      sortKey === 'word'
        ? { S: random.one(['fl', 'flour', 'sugar']) }
        : sortKey === 'sk' && table === 'binary'
          ? { B: random.one(['AQ==', 'AA==']) }
          : { N: random.one(['0', '1', '5', '10']) };
    const condition =
      sortKey === undefined || random.rarely(3)
        ? ''
        : ` AND ${random.one<() => string>([
            () => `${sortKey} ${random.one(['=', '<', '<=', '>', '>='])} ${this.#placeholder(sortValue())}`,
            () => `${sortKey} BETWEEN ${this.#placeholder(sortValue())} AND ${this.#placeholder(sortValue())}`,
            () => `begins_with(${sortKey}, ${this.#placeholder(sortValue())})`,
          ])()}`;
    const filter = random.rarely(3) ? { FilterExpression: this.#condition(0, ['word', 'n']) } : {};
    const projection = index === undefined ? this.#projection() : {};
    const input = {
      TableName: table,
      ...(index && { IndexName: index }),
      KeyConditionExpression: `${partition} = ${pk}${condition}`,
      ...filter,
      ...projection,
      ...(random.rarely(3) && { Limit: random.one([1, 2, 5]) }),
      ...(random.rarely(3) && { ScanIndexForward: false }),
      ...(random.rarely(6) && { Select: random.one(['COUNT', 'ALL_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES']) }),
      ReturnConsumedCapacity: 'TOTAL',
    };
    return { operation: 'Query', input: { ...input, ...this.#substitutions() } };
  }

  #scan(): Operation {
    const random = this.#random;
    const table = this.#table();
    const index = table === 'indexed' ? random.one([undefined, undefined, 'byWord', 'byN', 'keysOnly']) : undefined;
    const filter = random.rarely(2) ? { FilterExpression: this.#condition() } : {};
    const projection = index === undefined ? this.#projection() : {};
    const input = {
      TableName: table,
      ...(index && { IndexName: index }),
      ...filter,
      ...projection,
      ...(random.rarely(6) && { Select: 'COUNT' }),
      // Which partitions are in which segment is DynamoDB's own affair.
      ...(random.rarely(20) &&
        random.one([{ Segment: 0, TotalSegments: 1 }, { Segment: 3, TotalSegments: 3 }, { Segment: 0 }])),
    };
    return { operation: 'Scan', input: { ...input, ...this.#substitutions() } };
  }

  #batchGet(): Operation {
    const Keys = (table: TableName) => this.#random.list(1, 4, () => this.#key(table));
    const RequestItems = { plain: { Keys: Keys('plain') }, indexed: { Keys: Keys('indexed') } };
    return { operation: 'BatchGetItem', input: { RequestItems, ReturnConsumedCapacity: 'TOTAL' } };
  }

  #batchWrite(): Operation {
    const writes = (table: TableName) =>
      this.#random.list(1, 4, () =>
        this.#random.rarely(3)
          ? { DeleteRequest: { Key: this.#key(table) } }
          : { PutRequest: { Item: this.#item(table) } },
      );
    return {
      operation: 'BatchWriteItem',
      input: { RequestItems: { plain: writes('plain'), indexed: writes('indexed') } },
    };
  }

  #transactWrite(number: number): Operation {
    const random = this.#random;
    const TransactItems = random.list(1, 4, () => {
      this.#names = {};
      this.#values = {};
      const TableName = this.#table();
      const kind = random.one(['Put', 'Update', 'Delete', 'ConditionCheck']);
      if (kind === 'Put') {
        const condition = this.#conditional();
        return { Put: { TableName, Item: this.#item(TableName), ...condition, ...this.#substitutions() } };
      }
      const Key = this.#key(TableName);
      if (kind === 'Update') {
        const UpdateExpression = this.#updateExpression();
        return { Update: { TableName, Key, UpdateExpression, ...this.#conditional(), ...this.#substitutions() } };
      }
      const condition = kind === 'ConditionCheck' ? { ConditionExpression: this.#condition() } : this.#conditional();
      return { [kind]: { TableName, Key, ...condition, ...this.#substitutions() } };
    });
    const token = random.rarely(4) ? { ClientRequestToken: `token-${number}` } : {};
    return { operation: 'TransactWriteItems', input: { TransactItems, ...token, ReturnConsumedCapacity: 'TOTAL' } };
  }

  #transactGet(): Operation {
    const TransactItems = this.#random.list(1, 4, () => {
      const TableName = this.#table();
      return { Get: { TableName, Key: this.#key(TableName) } };
    });
    return { operation: 'TransactGetItems', input: { TransactItems, ReturnConsumedCapacity: 'TOTAL' } };
  }
}
