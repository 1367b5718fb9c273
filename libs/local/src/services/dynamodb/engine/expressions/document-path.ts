import { type AttributeValue, define, type Item } from '../attribute-value.ts';
import { validationError } from '../dynamodb-error.ts';
import type { Path, PathStep } from './ast.ts';

/** The value at a path; undefined when there is none. */
export function valueAt(item: Item, path: Path): AttributeValue | undefined {
  let value: AttributeValue | undefined = { M: item };
  for (const step of path) {
    value = child(value, step);
    if (value === undefined) return undefined;
  }
  return value;
}

function child(value: AttributeValue, step: PathStep): AttributeValue | undefined {
  if (typeof step === 'number') return 'L' in value ? value.L[step] : undefined;
  return 'M' in value && Object.hasOwn(value.M, step) ? value.M[step] : undefined;
}

/** Sets the value at a path. An index behind the end of a list appends. @throws DynamoDbError when there is no parent */
export function setAt(item: Item, path: Path, value: AttributeValue): void {
  const { parent, step } = parentOf(item, path);
  if (typeof step === 'number') {
    if (!parent || !('L' in parent)) throw noParent();
    parent.L[Math.min(step, parent.L.length)] = value;
  } else {
    if (!parent || !('M' in parent)) throw noParent();
    define(parent.M, step, value);
  }
}

/** Removes the value at a path; a list's later elements move up. @throws DynamoDbError when its parent is of another kind */
export function removeAt(item: Item, path: Path): void {
  const { parent, step } = parentOf(item, path);
  if (!parent) throw noParent();
  if (typeof step === 'number' && 'L' in parent) parent.L.splice(step, 1);
  else if (typeof step === 'string' && 'M' in parent) delete parent.M[step];
  else throw noParent();
}

function parentOf(item: Item, path: Path): { parent: AttributeValue | undefined; step: PathStep } {
  const step = path.at(-1) ?? path[0];
  const parents = path.slice(0, -1) as unknown as Path;
  return { parent: parents.length === 0 ? { M: item } : valueAt(item, parents), step };
}

/** The parts of an item that paths lead to. A list has only the elements that were asked for. */
export function project(item: Item, paths: readonly Path[]): Item {
  const root: Partial = { children: new Map() };
  for (const path of paths) {
    let node = root;
    for (const step of path) {
      const next = node.children.get(step) ?? { children: new Map() };
      node.children.set(step, next);
      node = next;
    }
  }
  const projected = pick({ M: item }, root);
  return projected && 'M' in projected ? projected.M : {};
}

interface Partial {
  children: Map<PathStep, Partial>;
}

function pick(value: AttributeValue, { children }: Partial): AttributeValue | undefined {
  if (children.size === 0) return value;
  const picked: [PathStep, AttributeValue][] = [];
  for (const [step, node] of children) {
    const part = child(value, step);
    const kept = part && pick(part, node);
    if (kept) picked.push([step, kept]);
  }
  if (picked.length === 0) return undefined;
  if ('L' in value) {
    return { L: picked.toSorted(([a], [b]) => Number(a) - Number(b)).map(([, each]) => each) };
  }
  const members: Item = {};
  for (const [name, each] of picked) define(members, String(name), each);
  return { M: members };
}

function noParent() {
  return validationError('The document path provided in the update expression is invalid for update');
}
