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

/**
 * Counts the capacity that a request uses, if the request asks for it.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export class CapacityMeter {
  readonly #usage = new Map<Table, Usage>();
  readonly #wish: 'TOTAL' | 'INDEXES' | undefined;

  /** @param wish the request's ReturnConsumedCapacity */
  constructor(wish: unknown) {
    this.#wish = wish === 'TOTAL' || wish === 'INDEXES' ? wish : undefined;
  }

  /** A read of so many bytes; one of nothing costs as much as one of little. */
  read(table: Table, bytes: number, factor: 0.5 | 1 | 2, index?: TableIndex): void {
    if (this.#wish) this.#add(table, index, readUnits(bytes, factor));
  }

  /** Units of a table that were counted elsewhere. */
  add(table: Table, units: number): void {
    if (this.#wish) this.#add(table, undefined, units);
  }

  /**
   * A write that replaces one item by another; in each index where something changes it is a write of its own.
   * @param factor two in a transaction, of the table: indexes follow when it is done
   */
  write(table: Table, before: Item | undefined, after: Item | undefined, factor: 1 | 2 = 1): void {
    if (!this.#wish) return;
    this.#add(table, undefined, writeUnits(before, after, factor));
    for (const index of table.definition.indexes) {
      const [old, current] = [before, after].map((item) => item && projectedItem(item, index, table));
      if (!old && !current) continue;
      const [oldPlace, place] = [old, current].map((item) => item && JSON.stringify(placeOf(item, index.key)));
      if (old && current && oldPlace === place) {
        if (!equalItems(old, current)) this.#add(table, index, writeUnits(old, current));
        continue;
      }
      for (const entry of [old, current]) if (entry) this.#add(table, index, writeUnits(entry, undefined));
    }
  }

  /** What a request answers as ConsumedCapacity: one entry for each table, or undefined when the request did not ask for it. */
  report(kind?: 'Read' | 'Write'): Record<string, unknown>[] | undefined {
    if (!this.#wish) return undefined;
    return [...this.#usage].map(([{ name }, { table, indexes }]) => {
      const units = (CapacityUnits: number) => ({
        CapacityUnits,
        ...(kind && { [`${kind}CapacityUnits`]: CapacityUnits }),
      });
      const all = [...indexes.values()].reduce((sum, each) => sum + each, table);
      const of = (index: TableIndex['kind']) => [...indexes].filter(([{ kind: its }]) => its === index);
      const detail = (entries: [TableIndex, number][]) =>
        Object.fromEntries(entries.map(([{ name: indexName }, amount]) => [indexName, units(amount)]));
      return {
        TableName: name,
        ...units(all),
        ...(this.#wish === 'INDEXES' && {
          Table: units(table),
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

/** @param factor half for an eventually consistent read, two in a transaction */
export function readUnits(bytes: number, factor: 0.5 | 1 | 2): number {
  return Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) * factor;
}

/** @param factor two in a transaction */
export function writeUnits(before: Item | undefined, after: Item | undefined, factor: 1 | 2 = 1): number {
  const bytes = Math.max(before ? itemSize(before) : 0, after ? itemSize(after) : 0);
  return Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES)) * factor;
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
