import type { AttributeValue } from '../attribute-value.ts';

/** A step into an item: the name of an attribute or member, or the index of a list's element. */
export type PathStep = string | number;

/** A document path: `lines[0].sku` is `['lines', 0, 'sku']`. */
export type Path = readonly [string, ...PathStep[]];

export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>=';

/** What a condition compares. */
export type Operand =
  | { kind: 'path'; path: Path }
  | { kind: 'value'; value: AttributeValue }
  | { kind: 'size'; path: Path };

/** A condition, filter or key condition. */
export type Condition =
  | { kind: 'and' | 'or'; left: Condition; right: Condition }
  | { kind: 'not'; condition: Condition }
  | { kind: 'compare'; comparator: Comparator; left: Operand; right: Operand }
  | { kind: 'between'; operand: Operand; from: Operand; to: Operand }
  | { kind: 'in'; operand: Operand; candidates: readonly Operand[] }
  | { kind: 'exists'; path: Path; expected: boolean }
  | { kind: 'type'; path: Path; type: string }
  | { kind: 'beginsWith' | 'contains'; operand: Operand; argument: Operand };

/** What SET assigns. */
export type UpdateValue =
  | { kind: 'path'; path: Path }
  | { kind: 'value'; value: AttributeValue }
  | { kind: 'ifNotExists'; path: Path; otherwise: UpdateValue }
  | { kind: 'listAppend'; first: UpdateValue; second: UpdateValue }
  | { kind: 'plus' | 'minus'; left: UpdateValue; right: UpdateValue };

export interface Update {
  set: readonly { path: Path; value: UpdateValue }[];
  remove: readonly Path[];
  add: readonly { path: Path; value: AttributeValue }[];
  delete: readonly { path: Path; value: AttributeValue }[];
}

/** The path as DynamoDB writes it in messages: `[lines, [0], sku]`. */
export function pathText(path: Path): string {
  return `[${path.map((step) => (typeof step === 'number' ? `[${step}]` : step)).join(', ')}]`;
}
