import { type Stack, type StackResource, TemplateError } from '@millrace/cloudformation';
import type { DeclaredResource, Host, ResourceType } from './service.ts';

/** Creates a resource. @returns the attributes that are known only now */
export type CreateResource = (resource: DeclaredResource) => ReturnType<NonNullable<ResourceType['create']>>;

/**
 * Creates the resources of a stack, each after those it depends on.
 *
 * @param creators by the name of the resource type; resources of any other type are left out
 * @throws TemplateError for the first resource that its service refuses, with the service's reason
 */
export async function deployStack(stack: Stack, creators: ReadonlyMap<string, CreateResource>): Promise<void> {
  for (const resource of stack.resources()) {
    const create = creators.get(resource.type);
    if (!create) continue;
    try {
      const attributes = await create(declaredResource(stack, resource));
      for (const [name, value] of Object.entries(attributes ?? {})) {
        stack.setAttribute(resource.logicalId, name, value);
      }
    } catch (error) {
      throw refusalOf(stack, resource.logicalId, error);
    }
  }
}

/**
 * Visits the resources of one type, for a service that makes something of all of them together.
 *
 * @throws TemplateError for the first resource that `visit` refuses, with its reason
 */
export function forEachResource(
  stacks: readonly Stack[],
  type: string,
  visit: (resource: DeclaredResource) => void,
): void {
  for (const stack of stacks) {
    for (const resource of stack.resourcesOfType(type)) {
      try {
        visit(declaredResource(stack, resource));
      } catch (error) {
        throw refusalOf(stack, resource.logicalId, error);
      }
    }
  }
}

function refusalOf(stack: Stack, logicalId: string, error: unknown): TemplateError {
  if (error instanceof TemplateError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new TemplateError(stack.name, `Resources.${logicalId}`, reason);
}

/**
 * Lists what works differently here than a stack declares, each as one line: types that are not known, properties that are not
 * supported, and what the types themselves say. Types that are known to have no effect here (roles, log groups …) are not worth a line.
 */
export function deploymentWarnings(
  stack: Stack,
  types: Readonly<Record<string, ResourceType>>,
  host: Pick<Host, 'isTarget'>,
): string[] {
  const unknown = new Map<string, string[]>();
  const warnings: string[] = [];
  for (const resource of stack.resources()) {
    const { type: typeName, logicalId } = resource;
    const type = types[typeName];
    if (!type) {
      unknown.set(typeName, [...(unknown.get(typeName) ?? []), logicalId]);
      continue;
    }
    if (type.inert !== undefined || type.isLeftOut?.(logicalId)) continue;
    for (const property of unsupportedProperties(stack, resource, type)) {
      warnings.push(`${logicalId}: ${property} of ${typeName} is not supported here`);
    }
    // Only where a type has something to say: properties of other resources may not be known before these are created.
    if (type.warnings) {
      const said = type.warnings(declaredResource(stack, resource), host);
      warnings.push(...said.map((warning) => `${logicalId} ${warning}`));
    }
  }
  for (const [type, logicalIds] of unknown) warnings.push(`${type} is not available here: ${logicalIds.join(', ')}`);
  return warnings.map((warning) => `Stack ${stack.name}: ${warning}`);
}

function unsupportedProperties(stack: Stack, { logicalId }: StackResource, { properties }: ResourceType): string[] {
  if (!properties) return [];
  return stack.propertyNames(logicalId).filter((name) => !properties.includes(name));
}

function declaredResource(stack: Stack, { type, logicalId, name }: StackResource): DeclaredResource {
  return { stack, type, logicalId, name, properties: stack.properties(logicalId) };
}
