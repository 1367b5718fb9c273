/**
 * What of a value may be shown. It follows the schema that the value satisfies: `redactionOf` makes one of a schema.
 * This file knows no schema library, so that a logger can use it without one.
 */
export interface Redaction {
  /** Nothing of the value may be shown. */
  readonly hides: boolean;
  /** Whether the schema says what is in the value; of a value that may be anything, nothing is known to be personal. */
  readonly structured: boolean;
  /** Of a member of an object; undefined when the schema does not know it. */
  member(name: string): Redaction | undefined;
  /** Of an element of an array; undefined when the schema knows no array. */
  element(): Redaction | undefined;
}

const guarded = new WeakMap<object, Redaction>();

/**
 * A copy without what may not be shown: marked fields, and fields that the schema does not know.
 *
 * @returns undefined when nothing is left to show
 */
export function redact(value: unknown, redaction: Redaction): unknown {
  if (redaction.hides) return undefined;
  if (typeof value !== 'object' || value === null || !redaction.structured) return value;
  if (Array.isArray(value)) {
    const element = redaction.element();
    if (!element) return undefined;
    return value.map((item) => redact(item, element)).filter((item) => item !== undefined);
  }
  const shown = Object.entries(value).flatMap(([name, part]) => {
    const member = redaction.member(name);
    const copy = member && redact(part, member);
    return copy === undefined ? [] : [[name, copy] as const];
  });
  return Object.fromEntries(shown);
}

/**
 * Attaches a redaction to an object and everything nested in it, so that the logger can apply it. A copy
 * (`{ ...event.data }`) and a string taken out of it are not recognised.
 *
 * @returns the value itself
 */
export function guard<Value>(value: Value, redaction: Redaction): Value {
  if (typeof value !== 'object' || value === null) return value;
  guarded.set(value, redaction);
  if (redaction.hides || !redaction.structured) return value;
  for (const [name, part] of Object.entries(value)) {
    if (typeof part !== 'object') continue;
    const inside = Array.isArray(value) ? redaction.element() : redaction.member(name);
    if (inside) guard(part, inside);
  }
  return value;
}

/** What may be shown of an object that was guarded, alone or as a part of another one. */
export function guardOf(value: object): Redaction | undefined {
  return guarded.get(value);
}
