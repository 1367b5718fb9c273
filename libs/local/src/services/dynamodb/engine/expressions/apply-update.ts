import { type AttributeValue, copyItem, copyValue, type Item, typeOf } from '../attribute-value.ts';
import { addDecimals, formatDecimal, parseDecimal, subtractDecimals } from '../decimal.ts';
import { validationError } from '../dynamodb-error.ts';
import type { Path, Update, UpdateValue } from './ast.ts';
import { removeAt, setAt, valueAt } from './document-path.ts';

/**
 * The item after an update. Every value is that of the item before it.
 * @param before is not changed
 * @throws DynamoDbError ValidationException when the update does not fit the item
 */
export function applyUpdate(update: Update, before: Item): Item {
  const after = copyItem(before);
  const assignments = update.set.map(({ path, value }) => ({ path, value: evaluate(value, before) }));
  const additions = update.add.map(({ path, value }) => ({ path, value: added(valueAt(before, path), value) }));
  const deletions = update.delete.map(({ path, value }) => ({ path, value: without(valueAt(before, path), value) }));
  // Elements of a list before their removal: an index means the list as it was. The last first, or the others would move.
  for (const { path, value } of [...assignments.toSorted(byLastIndex), ...additions])
    setAt(after, path, copyValue(value));
  for (const { path, value } of deletions) {
    if (value) setAt(after, path, copyValue(value));
    else if (valueAt(after, path)) removeAt(after, path);
  }
  for (const path of update.remove.toSorted(byLastIndexDescending)) removeAt(after, path);
  return after;
}

/** What is appended to a list comes in the order of the indexes. */
function byLastIndex({ path: one }: { path: Path }, { path: other }: { path: Path }): number {
  return -byLastIndexDescending(one, other);
}

function byLastIndexDescending(a: Path, b: Path): number {
  const [one, other] = [a.at(-1), b.at(-1)];
  return typeof one === 'number' && typeof other === 'number' ? other - one : 0;
}

function evaluate(value: UpdateValue, item: Item): AttributeValue {
  switch (value.kind) {
    case 'value':
      return value.value;
    case 'path': {
      const found = valueAt(item, value.path);
      if (found) return found;
      throw validationError('The provided expression refers to an attribute that does not exist in the item');
    }
    case 'ifNotExists':
      return valueAt(item, value.path) ?? evaluate(value.otherwise, item);
    case 'listAppend': {
      const [first, second] = [evaluate(value.first, item), evaluate(value.second, item)];
      if ('L' in first && 'L' in second) return { L: [...first.L, ...second.L] };
      throw wrongType();
    }
    case 'plus':
    case 'minus': {
      const [left, right] = [evaluate(value.left, item), evaluate(value.right, item)];
      if (!('N' in left && 'N' in right)) throw wrongType();
      const combine = value.kind === 'plus' ? addDecimals : subtractDecimals;
      return { N: formatDecimal(combine(parseDecimal(left.N), parseDecimal(right.N))) };
    }
  }
}

function added(before: AttributeValue | undefined, value: AttributeValue): AttributeValue {
  if (!before) return value;
  if ('N' in before && 'N' in value) {
    return { N: formatDecimal(addDecimals(parseDecimal(before.N), parseDecimal(value.N))) };
  }
  const [type, elements] = elementsOf(before);
  const [otherType, others] = elementsOf(value);
  if (type !== otherType) throw wrongType();
  return { [type]: [...new Set([...elements, ...others])] } as unknown as AttributeValue;
}

/** @returns undefined when nothing is left: there are no empty sets */
function without(before: AttributeValue | undefined, value: AttributeValue): AttributeValue | undefined {
  if (!before) return undefined;
  const [type, elements] = elementsOf(before);
  const [otherType, others] = elementsOf(value);
  if (type !== otherType) throw wrongType();
  const left = elements.filter((each) => !others.includes(each));
  return left.length > 0 ? ({ [type]: left } as unknown as AttributeValue) : undefined;
}

function elementsOf(value: AttributeValue): [type: string, elements: string[]] {
  const type = typeOf(value);
  if (type !== 'SS' && type !== 'NS' && type !== 'BS') throw wrongType();
  return [type, (value as unknown as Record<string, string[]>)[type] ?? []];
}

function wrongType() {
  return validationError('An operand in the update expression has an incorrect data type');
}
