import { type AttributeValue, compareValues, equalValues, type Item, lengthOf, typeOf } from '../attribute-value.ts';
import type { Comparator, Condition, Operand } from './ast.ts';
import { valueAt } from './document-path.ts';

/** Whether a condition holds for an item. What does not exist compares as false to everything, and is unequal to everything. */
export function holds(condition: Condition, item: Item): boolean {
  switch (condition.kind) {
    case 'and':
      return holds(condition.left, item) && holds(condition.right, item);
    case 'or':
      return holds(condition.left, item) || holds(condition.right, item);
    case 'not':
      return !holds(condition.condition, item);
    case 'compare':
      return compare(condition.comparator, operandValue(condition.left, item), operandValue(condition.right, item));
    case 'between': {
      const value = operandValue(condition.operand, item);
      return (
        compare('>=', value, operandValue(condition.from, item)) &&
        compare('<=', value, operandValue(condition.to, item))
      );
    }
    case 'in': {
      const value = operandValue(condition.operand, item);
      return condition.candidates.some((candidate) => compare('=', value, operandValue(candidate, item)));
    }
    case 'exists':
      return (valueAt(item, condition.path) !== undefined) === condition.expected;
    case 'type': {
      const value = valueAt(item, condition.path);
      return value !== undefined && typeOf(value) === condition.type;
    }
    case 'beginsWith':
      return beginsWith(operandValue(condition.operand, item), operandValue(condition.argument, item));
    case 'contains':
      return contains(operandValue(condition.operand, item), operandValue(condition.argument, item));
  }
}

function operandValue(operand: Operand, item: Item): AttributeValue | undefined {
  switch (operand.kind) {
    case 'value':
      return operand.value;
    case 'path':
      return valueAt(item, operand.path);
    case 'size': {
      const value = valueAt(item, operand.path);
      const length = value && lengthOf(value);
      return length === undefined ? undefined : { N: String(length) };
    }
  }
}

function compare(comparator: Comparator, left: AttributeValue | undefined, right: AttributeValue | undefined): boolean {
  if (comparator === '<>') return !(left && right && equalValues(left, right));
  if (!left || !right) return false;
  if (comparator === '=') return equalValues(left, right);
  const order = compareValues(left, right);
  if (order === undefined) return false;
  switch (comparator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

function beginsWith(value: AttributeValue | undefined, prefix: AttributeValue | undefined): boolean {
  if (!value || !prefix) return false;
  if ('S' in value && 'S' in prefix) return value.S.startsWith(prefix.S);
  if (!('B' in value && 'B' in prefix)) return false;
  const start = Buffer.from(prefix.B, 'base64');
  return Buffer.from(value.B, 'base64').subarray(0, start.length).equals(start);
}

function contains(value: AttributeValue | undefined, part: AttributeValue | undefined): boolean {
  if (!value || !part) return false;
  if ('S' in value && 'S' in part) return value.S.includes(part.S);
  if ('B' in value && 'B' in part) return Buffer.from(value.B, 'base64').includes(Buffer.from(part.B, 'base64'));
  if ('SS' in value && 'S' in part) return value.SS.includes(part.S);
  if ('NS' in value && 'N' in part) return value.NS.includes(part.N);
  if ('BS' in value && 'B' in part) return value.BS.includes(part.B);
  return 'L' in value && value.L.some((each) => equalValues(each, part));
}
