import type { CfnResource } from './osls.ts';

/**
 * Takes from every resource's DependsOn what its properties refer to anyway: CloudFormation orders those by itself, and
 * cfn-lint warns (W3005). osls writes such a DependsOn from a function to its role and from a route to its integration.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html
 * @param resources the Resources of a template, changed in place
 */
export function removeRedundantDependencies(resources: Readonly<Record<string, CfnResource>>): void {
  for (const resource of Object.values(resources)) {
    if (resource.DependsOn === undefined) continue;
    const implied = new Set<string>();
    collectReferences(resource.Properties, implied);
    const needed = [resource.DependsOn].flat().filter((id) => !implied.has(id));
    if (needed.length > 0) resource.DependsOn = needed;
    else delete resource.DependsOn;
  }
}

/** Adds the logical ids that a value always refers to: a branch of Fn::If may not be taken, so it proves nothing. */
function collectReferences(value: unknown, ids: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'Ref' && typeof inner === 'string') ids.add(inner);
    else if (key === 'Fn::GetAtt') ids.add(resourceOf(Array.isArray(inner) ? inner[0] : inner));
    else if (key === 'Fn::Sub') collectFromText(inner, ids);
    else if (key !== 'Fn::If') collectReferences(inner, ids);
  }
}

/** The text of Fn::Sub names resources as `${Table}` or `${Table.Arn}`, unless its own variables have that name. */
function collectFromText(sub: unknown, ids: Set<string>): void {
  const [text, variables = {}] = Array.isArray(sub) ? sub : [sub];
  collectReferences(variables, ids);
  for (const [, name = ''] of String(text).matchAll(/\$\{([^!}][^}]*)\}/g)) {
    if (!Object.hasOwn(variables, name)) ids.add(resourceOf(name));
  }
}

function resourceOf(attribute: unknown): string {
  return String(attribute).split('.')[0] ?? '';
}
