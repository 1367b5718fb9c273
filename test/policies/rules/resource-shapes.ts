import type { CompiledService, CompiledWorkspace } from '../compiled-workspace.ts';
import type { Finding, Rule } from '../rule.ts';
import { absent, names, object, oneOf } from '../shape.ts';
import { shapes } from '../shapes/index.ts';
import { type Entry, entries } from '../template.ts';

/** What a resource may have beside its properties. */
const attributes = new Set(['Type', 'Properties', 'DependsOn', 'DeletionPolicy', 'UpdateReplacePolicy', 'Condition']);

/**
 * Whatever is not judged is refused: a type, a property, and everything around the properties. The rules that look at what
 * belongs together can therefore not be passed by something that they do not know.
 */
export const resourceShapes: Rule = {
  name: 'resource-shapes',
  why: 'what no rule has judged may do anything',
  check(service, workspace) {
    return entries(service).flatMap((entry) => shapeFindings(entry, service, workspace));
  },
};

/** What is wrong with one resource, whatever the others are like. */
export function shapeFindings(
  { id, type, properties }: Entry,
  service: CompiledService,
  workspace: CompiledWorkspace,
): Finding[] {
  const shape = shapes[type];
  if (!shape) return [{ resource: id, problem: `${type} is not judged by any rule: add it to test/policies/shapes` }];
  const resource = service.template.Resources?.[id] as unknown as Record<string, unknown>;
  const context = { id, service, workspace, properties };
  const removal = shape.removal ?? absent;
  const missing = (shape.waitsFor?.(context) ?? []).filter((other) => !names(resource.DependsOn, other));
  return [
    ...Object.keys(resource)
      .filter((key) => !attributes.has(key))
      .map((key) => `${key} is not judged by any rule`),
    ...object(shape.properties)(properties, '', context),
    ...removal(resource.DeletionPolicy, 'DeletionPolicy', context),
    ...removal(resource.UpdateReplacePolicy, 'UpdateReplacePolicy', context),
    // A resource with another condition might not be there at all.
    ...(id.startsWith('AlarmEmail') ? oneOf('HasAlarmEmail') : absent)(resource.Condition, 'Condition', context),
    ...missing.map((other) => `DependsOn does not name ${other}`),
  ].map((problem) => ({ resource: id, problem }));
}
