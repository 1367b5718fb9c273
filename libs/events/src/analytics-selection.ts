import { identifiesPerson, redactionOf } from '@millrace/privacy/personal';
import * as z from 'zod';
import type { AnalyticsDeclaration, Pseudonymize } from './analytics.ts';

/** What leaves of a value: the schema of what is left, and how to take it out. */
export interface Selection {
  schema: z.ZodType;
  select: (value: unknown, leaving: Leaving) => unknown;
}

/** Is told what leaves. */
export interface Leaving {
  text: (value: string) => void;
  pseudonymize: Pseudonymize;
}

type Kind = 'field' | 'pseudonym';

/** A path that is still to be followed, by its segments: `lines[].sku` is `lines`, `[]`, `sku`. */
interface Pending {
  segments: readonly string[];
  kind: Kind;
  path: string;
  /** A schema on the way is marked as the id of a person. */
  isPerson: boolean;
}

/**
 * Works out what leaves of data that satisfy a schema.
 * @param where the detail-type, for messages
 * @throws Error when a path does not exist, does not end at a text, number or truth value, names a personal field or one that holds
 * state, or a pseudonym is asked for of what is not the id of a person
 */
export function selectionOf(
  schema: z.core.$ZodType,
  { fields, pseudonyms = [] }: AnalyticsDeclaration<string, string>,
  where: string,
): Selection {
  const all = [...fields, ...pseudonyms];
  const pending = [...fields.map(pendingOf('field')), ...pseudonyms.map(pendingOf('pseudonym'))];
  const repeated = all.find((path, index) => all.indexOf(path) !== index);
  if (repeated !== undefined) throw new Error(`${where}: analytics names ${repeated} twice`);
  if (fields.length === 0)
    throw new Error(`${where}: analytics names no field: list the fields that go to analytics, or omit analytics`);
  return follow(schema, pending, where);
}

const pendingOf =
  (kind: Kind) =>
  (path: string): Pending => ({ segments: path.replaceAll('[]', '.[]').split('.'), kind, path, isPerson: false });

const wrappers = new Set<string>(['optional', 'nullable', 'readonly']);

function follow(schema: z.core.$ZodType, all: readonly Pending[], where: string): Selection {
  const pending = identifiesPerson(schema) ? all.map((each) => ({ ...each, isPerson: true })) : all;
  const known = schema as z.core.$ZodTypes;
  const { def } = known._zod;
  const [first] = pending;
  const problem = (text: string) => new Error(`${where}: analytics names ${first?.path}, which ${text}`);
  if (redactionOf(schema).hides) throw problem('is personal: no personal field may leave');
  if (wrappers.has(def.type)) {
    const { innerType } = def as z.core.$ZodOptionalDef;
    const inner = follow(innerType, pending, where);
    const wrap = { optional: z.optional, nullable: z.nullable, readonly: (same: z.ZodType) => same };
    return {
      schema: wrap[def.type as keyof typeof wrap](inner.schema),
      select: (value, leaving) => (value === null || value === undefined ? value : inner.select(value, leaving)),
    };
  }
  if (def.type === 'object') return followObject(def, pending, where);
  if (def.type === 'array' && pending.every(({ segments: [segment] }) => segment === '[]')) {
    const element = follow(def.element, pending.map(behindFirst), where);
    return {
      schema: z.array(element.schema),
      select: (value, leaving) => (value as unknown[]).map((item) => element.select(item, leaving)),
    };
  }
  if (pending.some(({ segments }) => segments.length > 0)) throw problem('is not in the data section of the contract');
  return leaf(known, first as Pending, problem);
}

function followObject({ shape }: z.core.$ZodObjectDef, pending: readonly Pending[], where: string): Selection {
  const byName = new Map<string, Pending[]>();
  for (const each of pending) {
    const [name = ''] = each.segments;
    const at = `${where}: analytics names ${each.path}, which `;
    if (name === '') throw new Error(`${at}is an object: name the fields of it that leave`);
    if (!Object.hasOwn(shape, name)) throw new Error(`${at}is not in the data section of the contract`);
    byName.set(name, [...(byName.get(name) ?? []), behindFirst(each)]);
  }
  const members = [...byName].map(([name, behind]) => ({
    name,
    ...follow(shape[name] as z.core.$ZodType, behind, where),
  }));
  return {
    schema: z.object(Object.fromEntries(members.map(({ name, schema }) => [name, schema]))),
    select: (value, leaving) => {
      const selected: Record<string, unknown> = {};
      for (const { name, select } of members) {
        const member = (value as Record<string, unknown>)[name];
        if (member !== undefined) selected[name] = select(member, leaving);
      }
      return selected;
    },
  };
}

function behindFirst({ segments, ...rest }: Pending): Pending {
  return { ...rest, segments: segments.slice(1) };
}

const leaves = new Set<string>(['string', 'number', 'boolean', 'literal', 'enum', 'null', 'template_literal']);

function leaf(
  schema: z.core.$ZodTypes,
  { kind, path, isPerson }: Pending,
  problem: (text: string) => Error,
): Selection {
  if (kind === 'pseudonym') {
    if (!isPerson) throw problem('is not marked with personId: list it under fields, or mark it');
    if (schema._zod.def.type !== 'string') throw problem('is not a text, so it has no pseudonym');
    return { schema: z.string().min(1), select: (value, { pseudonymize }) => pseudonymize(value as string) };
  }
  if (isPerson) throw problem('is the id of a person: list it under pseudonyms');
  // Analytics follow the facts; a copy of an aggregate's state would tie them to how the service keeps it.
  if (/(^|\.)(state|status)$/.test(path)) throw problem('is state: analytics follow events');
  if ((schema._zod.def as { format?: string }).format === 'email') {
    throw problem('is an e-mail address: mark it with personal');
  }
  if (!isLeaf(schema)) throw problem('is not a text, number or truth value: name the fields of it that leave');
  return {
    schema: schema as unknown as z.ZodType,
    select: (value, { text }) => {
      if (typeof value === 'string') text(value);
      return value;
    },
  };
}

function isLeaf({ _zod: { def } }: z.core.$ZodTypes): boolean {
  if (def.type === 'union') return def.options.every((option) => isLeaf(option as z.core.$ZodTypes));
  return leaves.has(def.type);
}
