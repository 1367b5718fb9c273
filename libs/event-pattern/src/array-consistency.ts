import type { ArrayElement, EventFields, Field } from './event-fields.ts';
import type { ValueMatcher, ValueRequirement } from './value-matcher.ts';

/** What a pattern asks of one path. */
export interface Condition {
  readonly path: string;
  readonly matchers: readonly ValueMatcher[];
  /** `{"exists": false}` is among the choices. */
  readonly absentAllowed: boolean;
  /** The paths of the conditions after this one, and of every container around them. */
  readonly laterPaths: ReadonlySet<string>;
}

/** The array elements the fields chosen so far stand in, at most one of each array. */
type Commitments = readonly ArrayElement[];

/** Puts the requirements of one pattern alternative into the order of their paths, in which AWS looks at them. */
export function conditions(requirements: ReadonlyMap<string, readonly ValueRequirement[]>): Condition[] {
  const paths = [...requirements.keys()].sort();
  return paths.map((path, index) => {
    const choices = requirements.get(path) ?? [];
    return {
      path,
      matchers: choices.filter((choice) => choice !== 'absent'),
      absentAllowed: choices.includes('absent'),
      laterPaths: new Set(paths.slice(index + 1).flatMap(pathAndContainers)),
    };
  });
}

/**
 * Whether the event has, for each condition, a field that passes it, such that no two of these fields stand in different
 * elements of the same array. A field is absent where none stands in the elements that the conditions before it chose.
 */
export function matchesAll(all: readonly Condition[], fields: EventFields): boolean {
  const candidates: Field[][] = [];
  for (const { path, matchers, absentAllowed } of all) {
    const passing = fields.at(path).filter(({ value }) => matchers.some((matches) => matches(value)));
    if (passing.length === 0 && !absentAllowed) return false;
    candidates.push(passing);
  }

  /** What has been tried in vain, per condition: the same commitments are not tried again. */
  const failed: (Set<string> | undefined)[] = [];

  const search = (index: number, commitments: Commitments): boolean => {
    const condition = all[index];
    if (!condition) return true;
    const state = commitments.map(({ id }) => id).join();
    if (failed[index]?.has(state)) return false;
    for (const field of consistentFields(candidates[index] ?? [], commitments)) {
      if (search(index + 1, commitTo(field, commitments, condition.laterPaths))) return true;
    }
    if (condition.absentAllowed && consistentFields(fields.at(condition.path), commitments).next().done) {
      if (search(index + 1, stillRelevant(commitments, condition.laterPaths))) return true;
    }
    failed[index] ??= new Set();
    failed[index].add(state);
    return false;
  };
  return search(0, []);
}

/** The fields that stand in no other element of an array than the one committed to. */
function* consistentFields(fields: readonly Field[], commitments: Commitments): Generator<Field, void> {
  let index = 0;
  for (let field = fields[index]; field; field = fields[index]) {
    const conflict = conflictingElement(field, commitments);
    if (!conflict) {
      yield field;
      index += 1;
    } else {
      // Positions grow along the list, so everything up to the chosen element, or past it to the array's end, is skipped.
      const beyond = field.position < conflict.start ? conflict.start : conflict.array.end;
      index = firstFrom(fields, beyond, index + 1);
    }
  }
}

/** The commitment that rules the field out. */
function conflictingElement(field: Field, commitments: Commitments): ArrayElement | undefined {
  for (let element = field.element; element; element = element.parent) {
    for (const committed of commitments) {
      if (committed.array === element.array && committed !== element) return committed;
    }
  }
  return undefined;
}

function firstFrom(fields: readonly Field[], position: number, from: number): number {
  let low = from;
  let high = fields.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((fields[middle]?.position ?? 0) < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

function commitTo(field: Field, commitments: Commitments, laterPaths: ReadonlySet<string>): Commitments {
  if (!field.element && commitments.length === 0) return commitments;
  const result = stillRelevant(commitments, laterPaths);
  for (let element = field.element; element; element = element.parent) {
    if (laterPaths.has(element.array.path) && !result.includes(element)) result.push(element);
  }
  return result.sort((one, other) => one.id - other.id);
}

/** An array that no later condition can look into says nothing more; forgetting it keeps the number of states small. */
function stillRelevant(commitments: Commitments, laterPaths: ReadonlySet<string>): ArrayElement[] {
  return commitments.filter(({ array }) => laterPaths.has(array.path));
}

/** `a.b.c` → `a`, `a.b`, `a.b.c` */
function pathAndContainers(path: string): string[] {
  return [...path.matchAll(/\.|$/g)].map(({ index }) => path.slice(0, index));
}
