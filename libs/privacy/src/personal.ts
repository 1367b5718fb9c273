import * as z from 'zod';
import type { Redaction } from './redaction.ts';

/**
 * Marks what a schema describes as personal: name, address, phone number, payment token. A mark stays on a field that
 * another schema takes over. On an object it means all of it; mark its fields instead when schemas are made of its shape.
 */
export function personal<Schema extends z.ZodType>(schema: Schema): Personal<Schema> {
  return schema.meta({ ...schema.meta(), dataSensitivity: 'personal' }) as Personal<Schema>;
}

/** A schema that is marked as personal, for types that ask. */
export type Personal<Schema> = Schema & { readonly [mark]: 'personal' };

/**
 * Marks the id of a person, such as a customer's: logs may show it, but outside the domain it tells a person from all others.
 * Analytics get a pseudonym in its place.
 * @example const customer = z.object({ id: personId(z.string().min(1)) });
 */
export function personId<Schema extends z.ZodType>(schema: Schema): PersonId<Schema> {
  return schema.meta({ ...schema.meta(), identifiesPerson: true }) as PersonId<Schema>;
}

/** A schema that is marked as the id of a person, for types that ask. */
export type PersonId<Schema> = Schema & { readonly [mark]: 'person id' };

declare const mark: unique symbol;

/** True if the schema, or one that it wraps, is marked as the id of a person. */
export function identifiesPerson(schema: z.core.$ZodType): boolean {
  const all = new Set<z.core.$ZodTypes>();
  unfold(schema, all);
  return [...all].some((each) => z.globalRegistry.get(each as unknown as z.ZodType)?.identifiesPerson === true);
}

function isPersonal(schema: z.core.$ZodType): boolean {
  return z.globalRegistry.get(schema as z.ZodType)?.dataSensitivity === 'personal';
}

/** What may be shown of a value that satisfies a schema. A value that may be of several kinds is hidden when one is. */
export function redactionOf(schema: z.core.$ZodType): Redaction {
  return new SchemaRedaction([schema]);
}

/**
 * The personal fields of a value that satisfies the schema, e.g. `customer.email`, `recipients[].phone`; `*` stands for
 * the names in a record.
 */
export function personalFields(schema: z.core.$ZodType): string[] {
  return new SchemaRedaction([schema]).personalFields('', new Set());
}

/**
 * The path of an issue, e.g. `data.lines.0.quantity`, with `*` for each name that the schema does not give: the names in
 * a record come from the data.
 */
export function shownPath(path: readonly PropertyKey[], schema: z.core.$ZodType): string {
  let at: SchemaRedaction | undefined = new SchemaRedaction([schema]);
  const shown: string[] = [];
  for (const segment of path) {
    const name = String(segment);
    shown.push(typeof segment === 'number' || at?.names.includes(name) ? name : '*');
    at = typeof segment === 'number' ? at?.element() : at?.member(name);
  }
  return shown.join('.');
}

class SchemaRedaction implements Redaction {
  readonly hides: boolean;
  readonly structured: boolean;
  /** Of the members that the schemas name. */
  readonly names: readonly string[];
  readonly #schemas: readonly z.core.$ZodTypes[];
  readonly #members = new Map<string, SchemaRedaction | undefined>();
  #element: SchemaRedaction | undefined;

  constructor(schemas: readonly z.core.$ZodType[]) {
    const all = new Set<z.core.$ZodTypes>();
    for (const schema of schemas) unfold(schema, all);
    this.#schemas = [...all];
    this.hides = this.#schemas.some((schema) => isPersonal(schema) || hasPersonalNames(schema));
    this.names = this.#schemas.flatMap(({ _zod: { def } }) => (def.type === 'object' ? Object.keys(def.shape) : []));
    this.structured = this.#schemas.some(({ _zod: { def } }) => structures.has(def.type));
  }

  member(name: string): SchemaRedaction | undefined {
    if (this.#members.has(name)) return this.#members.get(name);
    const member = redactionOfAny(this.#schemas.flatMap((schema) => memberOf(schema, name)));
    // Names in a record are without number: only those that a schema gives are kept.
    if (this.names.includes(name)) this.#members.set(name, member);
    return member;
  }

  element(): SchemaRedaction | undefined {
    this.#element ??= redactionOfAny(this.#schemas.flatMap(elementsOf));
    return this.#element;
  }

  personalFields(path: string, above: ReadonlySet<z.core.$ZodType>): string[] {
    if (this.hides) return [path];
    // A schema within itself has no other fields the second time.
    if (this.#schemas.some((schema) => schema._zod.def.type === 'object' && above.has(schema))) return [];
    const seen = new Set([...above, ...this.#schemas]);
    const records = redactionOfAny(this.#schemas.flatMap(recordValuesOf));
    return [
      ...[...new Set(this.names)].flatMap(
        (name) => this.member(name)?.personalFields(path === '' ? name : `${path}.${name}`, seen) ?? [],
      ),
      ...(records?.personalFields(path === '' ? '*' : `${path}.*`, seen) ?? []),
      ...(this.element()?.personalFields(`${path}[]`, seen) ?? []),
    ];
  }
}

const structures = new Set<string>(['object', 'record', 'array', 'tuple']);

function redactionOfAny(schemas: readonly z.core.$ZodType[]): SchemaRedaction | undefined {
  return schemas.length === 0 ? undefined : new SchemaRedaction(schemas);
}

/** Adds a schema and all others that say something of the same value. */
function unfold(schema: z.core.$ZodType, into: Set<z.core.$ZodTypes>): void {
  const known = schema as z.core.$ZodTypes;
  if (into.has(known)) return;
  into.add(known);
  for (const part of partsOf(known)) unfold(part, into);
}

/** What a schema wraps, its alternatives, both ends of a pipe. */
function partsOf({ _zod: { def } }: z.core.$ZodTypes): readonly z.core.$ZodType[] {
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'nonoptional':
    case 'default':
    case 'prefault':
    case 'catch':
    case 'readonly':
      return [def.innerType];
    case 'lazy':
      return [def.getter()];
    case 'pipe':
      return [def.in, def.out];
    case 'intersection':
      return [def.left, def.right];
    case 'union':
      return def.options;
    default:
      return [];
  }
}

function memberOf(schema: z.core.$ZodTypes, name: string): z.core.$ZodType[] {
  const { def } = schema._zod;
  if (def.type === 'object' && Object.hasOwn(def.shape, name)) return [def.shape[name] as z.core.$ZodType];
  return recordValuesOf(schema);
}

/** Of the members that no schema names. What may be anything is not known to be harmless. */
function recordValuesOf({ _zod: { def } }: z.core.$ZodTypes): z.core.$ZodType[] {
  const values = def.type === 'record' ? def.valueType : def.type === 'object' ? def.catchall : undefined;
  return values && !['unknown', 'any', 'never'].includes(values._zod.def.type) ? [values] : [];
}

function elementsOf({ _zod: { def } }: z.core.$ZodTypes): z.core.$ZodType[] {
  if (def.type === 'array') return [def.element];
  if (def.type !== 'tuple') return [];
  return [...def.items, ...(def.rest ? [def.rest] : [])];
}

function hasPersonalNames({ _zod: { def } }: z.core.$ZodTypes): boolean {
  return def.type === 'record' && new SchemaRedaction([def.keyType]).hides;
}
