import * as fc from 'fast-check';

/** The keywords of JSON Schema that zod writes for contracts and requests; draft-04 and 2020-12 alike. */
interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean | number;
  enum?: readonly unknown[];
  const?: unknown;
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  /** Of what must not be there. */
  not?: object;
}

/** Longer texts and lists than this above the minimum are not made: what is valid need not be large. */
const SPREAD = 12;

/**
 * Valid values of a JSON Schema. Texts are of any script, with emoji.
 * @throws Error for a schema with something that is not known here
 */
export function valuesOf(schema: object): fc.Arbitrary<unknown> {
  const known = schema as Schema;
  if (known.const !== undefined) return fc.constant(known.const);
  if (known.enum) return fc.constantFrom(...known.enum);
  const alternatives = known.anyOf ?? known.oneOf;
  if (alternatives) return fc.oneof(...alternatives.map(valuesOf));
  switch (known.type) {
    case 'object':
      return objectsOf(known);
    case 'array':
      return arraysOf(known);
    case 'string':
      return textsOf(known);
    case 'integer':
      return integersOf(known);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      throw new Error(`json-schema-values.ts has no values of the schema ${JSON.stringify(schema)}`);
  }
}

function objectsOf({ properties, required = [], additionalProperties }: Schema): fc.Arbitrary<unknown> {
  if (!properties) {
    const values = typeof additionalProperties === 'object' ? valuesOf(additionalProperties) : fc.string();
    return fc.dictionary(fc.string({ minLength: 1, maxLength: SPREAD }), values, { maxKeys: 3 });
  }
  const model: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(
    Object.entries(properties).flatMap(([name, part]) => (part.not ? [] : [[name, valuesOf(part)]])),
  );
  return fc.record(model, { requiredKeys: required.filter((name) => name in model), noNullPrototype: true });
}

function arraysOf({ items = { type: 'null' }, minItems = 0, maxItems = minItems + 3 }: Schema): fc.Arbitrary<unknown> {
  return fc.array(valuesOf(items), { minLength: minItems, maxLength: Math.min(maxItems, minItems + 3) });
}

function textsOf({ format, pattern, minLength = 0, maxLength = minLength + SPREAD }: Schema): fc.Arbitrary<string> {
  switch (format) {
    case 'email':
      return fc.stringMatching(/^[a-z][a-z0-9]{0,9}@[a-z]{1,9}\.example$/);
    case 'uuid':
      return fc.uuid();
    case 'date-time':
      return fc
        .date({ min: new Date('2026-01-01'), max: new Date('2026-12-31'), noInvalidDate: true })
        .map((date) => date.toISOString());
  }
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  // A grapheme is several UTF-16 units, which are what a length counts.
  return fc
    .string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, minLength + SPREAD) })
    .filter((text) => text.length <= maxLength);
}

function integersOf({ minimum, maximum = Number.MAX_SAFE_INTEGER, exclusiveMinimum }: Schema): fc.Arbitrary<number> {
  const least =
    typeof exclusiveMinimum === 'number'
      ? exclusiveMinimum + 1
      : (minimum ?? Number.MIN_SAFE_INTEGER) + (exclusiveMinimum === true ? 1 : 0);
  return fc.integer({ min: least, max: maximum });
}
