import type { CompiledService, Resource } from '../compiled-workspace.ts';
import { at, list, referenceTo, sourceTypeOf } from '../template.ts';

/** A resource of a template that may be changed: it is a copy. */
export interface Target {
  id: string;
  resource: Resource;
  properties: Record<string, unknown>;
  resources: Record<string, Resource>;
  service: CompiledService;
}

/** One way to break a rule. It is tried on every resource it applies to, one at a time. */
export interface Break {
  title: string;
  /** A resource type, or what else makes a resource one to break. */
  applies: string | ((target: Target) => boolean);
  change(target: Target): void;
  /** What the rule has to say of it. */
  says: RegExp;
  /** The logical id that has to be named, unless it is the changed resource's; empty for the stack. */
  names?: (target: Target) => string;
}

/** Breaks by the names of the rules that have to find them. */
export type Breaks = Readonly<Record<string, readonly Break[]>>;

/** A resource of one type for which something else holds, too. */
export function typed(type: string, also: (target: Target) => boolean): (target: Target) => boolean {
  return (target) => target.resource.Type === type && also(target);
}

/** A role of a function: those of state machines, pipes and lakes are judged by rules of their own. */
export const isFunctionRole = typed(
  'AWS::IAM::Role',
  ({ id }) => !/^(StateMachine|\w+Pipe|LakeRule|(Lake|Views)Stream)Role$/.test(id),
);

/** A queue that a pipe reads, which the rule `pipes` judges. */
export const isReadByPipe = ({ id, resources }: Target): boolean =>
  Object.values(resources).some(
    ({ Type, Properties }) => Type === 'AWS::Pipes::Pipe' && referenceTo(Properties?.Source) === id,
  );

/** The rules that feed queues with events of the shop's bus; others call functions at a rate, or are about executions. */
export const isBusRule = typed('AWS::Events::Rule', ({ properties }) => properties.EventBusName !== undefined);

/** Those of them that feed a queue. */
export const isQueueRule = typed(
  'AWS::Events::Rule',
  (target) => isBusRule(target) && at(list(target.properties.Targets)[0], 'Id') === 'queue',
);

/** The event source mappings that read a resource of this type. */
export function mappingOf(type: string): (target: Target) => boolean {
  return typed('AWS::Lambda::EventSourceMapping', ({ properties, service }) => {
    return sourceTypeOf(properties.EventSourceArn, service) === type;
  });
}

/**
 * One property that gets another value, or goes.
 * @param path keys, with a number for a place in a list, e.g. `Targets.0.RetryPolicy`
 * @param value what it becomes; `undefined` removes it
 */
export function setting(
  title: string,
  applies: Break['applies'],
  path: string,
  value: unknown,
  says: RegExp,
  names?: Break['names'],
): Break {
  return {
    title,
    applies,
    change: ({ properties }) => {
      const keys = path.split('.');
      const last = keys.pop() ?? '';
      let parent = properties;
      for (const key of keys) {
        parent[key] ??= {};
        parent = parent[key] as Record<string, unknown>;
      }
      if (value === undefined) delete parent[last];
      else parent[last] = value;
    },
    says,
    ...(names && { names }),
  };
}
