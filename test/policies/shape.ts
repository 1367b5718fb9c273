import type { CompiledService, CompiledWorkspace } from './compiled-workspace.ts';
import { attributeOf, isIntrinsic, isSame, list, referenceTo } from './template.ts';

/** Where a value is found, and what else a shape may have to know. */
export interface ShapeContext {
  /** Logical id of the resource. */
  id: string;
  service: CompiledService;
  workspace: CompiledWorkspace;
  properties: Record<string, unknown>;
}

/**
 * Which values a property may have. The default is that it may not be there at all, so a shape is written for every property
 * that a template sets.
 * @returns a line per problem, each beginning with the path
 */
export type Shape = (value: unknown, path: string, context: ShapeContext) => string[];

const says = (path: string, value: unknown, wanted: string) => [`${path} is ${JSON.stringify(value)}, not ${wanted}`];

/** A value that another rule judges. */
export function judgedBy(rule: string): Shape {
  judges.add(rule);
  return () => [];
}

/** The rules that shapes rely on. */
export const judges = new Set<string>();

/** A value that may be anything that is written out: a description, a name that another rule compares. */
export const text: Shape = (value, path) =>
  typeof value === 'string' && value.trim() !== '' ? [] : says(path, value, 'a text');

/** Exactly one of these values. */
export function oneOf(...allowed: unknown[]): Shape {
  return (value, path) =>
    allowed.some((each) => isSame(each, value))
      ? []
      : says(path, value, allowed.map((each) => JSON.stringify(each)).join(' or '));
}

/** A value that depends on the stage or the service, such as a name. */
export function computed(expected: (context: ShapeContext) => unknown): Shape {
  return (value, path, context) => {
    const wanted = expected(context);
    return isSame(wanted, value) ? [] : says(path, value, JSON.stringify(wanted));
  };
}

/** A whole number from `least` to `most`. */
export function between(least: number | ((context: ShapeContext) => number), most: number): Shape {
  return (value, path, context) => {
    const from = typeof least === 'number' ? least : least(context);
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= from && value <= most;
    return fits ? [] : says(path, value, `a whole number from ${from} to ${most}`);
  };
}

/** A text that a pattern describes. */
export function matching(pattern: RegExp): Shape {
  return (value, path) =>
    typeof value === 'string' && pattern.test(value) ? [] : says(path, value, `as ${pattern} describes`);
}

/** A text that begins with a service's and a stage's name: what belongs to this stack, and to no other. */
export const ownName: Shape = (value, path, { service }) => {
  const prefix = `millrace-${service.name}-${service.stage}-`;
  return typeof value === 'string' && value.startsWith(prefix) && /^[A-Za-z0-9._-]+$/.test(value.slice(prefix.length))
    ? []
    : says(path, value, `a name that begins with ${prefix}`);
};

/** `Ref` or, when an attribute is given, `Fn::GetAtt` of a resource of this template. */
export function reference(type: string, attribute?: string): Shape {
  return (value, path, { service }) => {
    const target = service.template.Resources?.[referenceTo(value) ?? ''];
    const wanted = `${attribute === undefined ? 'Ref' : attribute} of an ${type} of this template`;
    return target?.Type === type && attributeOf(value) === attribute ? [] : says(path, value, wanted);
  };
}

/** What the stack of the bus exports under a name. */
export function imported(name: string): Shape {
  return computed(({ service }) => ({ 'Fn::ImportValue': `millrace-${service.stage}:${name}` }));
}

/** A list of one or more, each of this shape. */
export function each(shape: Shape, { least = 1, most = Number.POSITIVE_INFINITY } = {}): Shape {
  return (value, path, context) => {
    if (!Array.isArray(value)) return says(path, value, 'a list');
    if (value.length < least || value.length > most) return [`${path} has ${value.length} entries`];
    const doubles = value.filter((one, index) => value.findIndex((other) => isSame(one, other)) < index);
    return [
      ...doubles.map((one) => `${path} lists ${JSON.stringify(one)} twice`),
      ...value.flatMap((one, index) => shape(one, `${path}[${index}]`, context)),
    ];
  };
}

/** The first shape that fits; what is said otherwise is about the last one. */
export function either(...shapes: Shape[]): Shape {
  return (value, path, context) => {
    let problems: string[] = [];
    for (const shape of shapes) {
      problems = shape(value, path, context);
      if (problems.length === 0) return [];
    }
    return problems;
  };
}

/** All of these. */
export function everyOf(...shapes: Shape[]): Shape {
  return (value, path, context) => shapes.flatMap((shape) => shape(value, path, context));
}

/** A shape for some resources of a type, by what the rest of the resource says. */
export function when(applies: (context: ShapeContext) => boolean, then: Shape, otherwise: Shape): Shape {
  return (value, path, context) => (applies(context) ? then : otherwise)(value, path, context);
}

/** The key of the stage, where it has one of its own. */
const keyArn = ({ service }: ShapeContext) =>
  service.template.Resources?.DataKey
    ? { 'Fn::GetAtt': ['DataKey', 'Arn'] }
    : { 'Fn::ImportValue': `millrace-${service.stage}:DataKeyArn` };

/** Whether serverless.stages.yml wants a key of its own for the stage. */
export function hasOwnKey({ workspace }: Pick<ShapeContext, 'workspace'>): boolean {
  return workspace.parameters.encryptionKey === 'own';
}

/** The key of the stage, or nothing where AWS keeps the keys. */
export const dataKey: Shape = (value, path, context) =>
  (hasOwnKey(context) ? computed(keyArn) : absent)(value, path, context);

/** A property that has to be missing, although others of the type may have it. */
export const absent: Shape = (value, path) => (value === undefined ? [] : says(path, value, 'missing'));

/** A property that may be missing. */
export function optional(shape: Shape): Shape {
  return (value, path, context) => (value === undefined ? [] : shape(value, path, context));
}

/** Exactly these keys: one that is missing and one that is not listed are both problems. */
export function object(keys: Readonly<Record<string, Shape>>): Shape {
  return (value, path, context) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || isIntrinsic(value)) {
      return says(path, value, 'an object');
    }
    const inside = (key: string) => (path === '' ? key : `${path}.${key}`);
    const unknown = Object.keys(value).filter((key) => !Object.hasOwn(keys, key));
    return [
      ...unknown.map((key) => `${inside(key)} is not judged by any rule: decide on it in test/policies/shapes`),
      ...Object.entries(keys).flatMap(([key, shape]) =>
        shape((value as Record<string, unknown>)[key], inside(key), context),
      ),
    ];
  };
}

/** A policy whose statements a rule judges: here it is only seen to that they have nothing that rules do not read. */
export function policy(rule: string, version: Shape = oneOf('2012-10-17')): Shape {
  const statement = object({
    Sid: optional(matching(/^[A-Za-z0-9]+$/)),
    Effect: oneOf('Allow', 'Deny'),
    Principal: judgedBy(rule),
    Action: judgedBy(rule),
    Resource: judgedBy(rule),
    Condition: judgedBy(rule),
  });
  return object({ Version: version, Statement: each(statement) });
}

/** How a resource of a type may look. */
export interface TypeShape {
  /** Exactly these; `optional` for those that may be missing. */
  properties: Readonly<Record<string, Shape>>;
  /** What becomes of the resource when it is taken out of its template or has to be replaced. */
  removal?: Shape;
  /** Logical ids that it has to wait for. */
  waitsFor?: (context: ShapeContext) => string[];
}

/** Whether a list of a resource, or one value, names a logical id. */
export function names(values: unknown, id: string): boolean {
  return list(values).some((value) => referenceTo(value) === id || value === id);
}
