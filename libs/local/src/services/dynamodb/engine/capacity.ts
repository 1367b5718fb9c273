import { equalItems, type Item, itemSize } from './attribute-value.ts';
import { keyAttributes, placeOf } from './key-schema.ts';
import type { Table } from './table.ts';
import type { TableIndex } from './table-definition.ts';

const READ_UNIT_BYTES = 4096;
const WRITE_UNIT_BYTES = 1024;

/** What a request used of one table and its indexes. */
interface Usage {
  table: number;
  indexes: Map<TableIndex, number>;
}

/** Counts the capacity that a request uses. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
export class CapacityMeter {
  readonly #usage = new Map<Table, Usage>();

  /** A read of so many bytes; one of nothing costs as much as one of little. */
  read(table: Table, bytes: number, factor: 0.5 | 1 | 2, index?: TableIndex): void {
    this.#add(table, index, Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) * factor);
  }

  /** A write that replaces one item by another; in each index where something changes it is a write of its own. */
  write(table: Table, before: Item | undefined, after: Item | undefined, factor: 1 | 2 = 1): void {
    this.#add(table, undefined, factor * units(before, after));
    for (const index of table.definition.indexes) {
      const [old, current] = [before, after].map((item) => item && projectedItem(item, index, table));
      if (!old && !current) continue;
      const [oldPlace, place] = [old, current].map((item) => item && JSON.stringify(placeOf(item, index.key)));
      if (old && current && oldPlace === place) {
        if (!equalItems(old, current)) this.#add(table, index, factor * units(old, current));
        continue;
      }
      for (const entry of [old, current]) if (entry) this.#add(table, index, factor * units(entry, undefined));
    }
  }

  /** What a request answers as ConsumedCapacity: one entry for each table, or undefined when nobody asked. */
  report(wish: unknown, kind?: 'Read' | 'Write'): Record<string, unknown>[] | undefined {
    if (wish !== 'TOTAL' && wish !== 'INDEXES') return undefined;
    return [...this.#usage].map(([{ name }, { table, indexes }]) => {
      const all = [...indexes.values()].reduce((sum, each) => sum + each, table);
      const of = (index: 'global' | 'local') => [...indexes].filter(([{ kind: its }]) => its === index);
      const detail = (entries: [TableIndex, number][]) =>
        Object.fromEntries(entries.map(([{ name: indexName }, CapacityUnits]) => [indexName, { CapacityUnits }]));
      return {
        TableName: name,
        CapacityUnits: all,
        ...(kind && { [`${kind}CapacityUnits`]: all }),
        ...(wish === 'INDEXES' && {
          Table: { CapacityUnits: table },
          ...(of('global').length > 0 && { GlobalSecondaryIndexes: detail(of('global')) }),
          ...(of('local').length > 0 && { LocalSecondaryIndexes: detail(of('local')) }),
        }),
      };
    });
  }

  #add(table: Table, index: TableIndex | undefined, amount: number): void {
    const usage = this.#usage.get(table) ?? { table: 0, indexes: new Map() };
    this.#usage.set(table, usage);
    if (index) usage.indexes.set(index, (usage.indexes.get(index) ?? 0) + amount);
    else usage.table += amount;
  }
}

/** What an index has of an item; undefined when the item is not in the index. */
export function projectedItem(item: Item, { key, projection }: TableIndex, table: Table): Item | undefined {
  if (!placeOf(item, key)) return undefined;
  if (projection.type === 'ALL') return item;
  const names = new Set([
    ...keyAttributes(table.key).map(({ name }) => name),
    ...keyAttributes(key).map(({ name }) => name),
    ...projection.include,
  ]);
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.has(name)));
}

function units(one: Item | undefined, other: Item | undefined): number {
  const bytes = Math.max(one ? itemSize(one) : 0, other ? itemSize(other) : 0);
  return Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES));
}
