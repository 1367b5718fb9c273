import { Stack, type StackEnvironment } from './stack.ts';
import { type CloudFormationTemplate, TemplateError } from './template.ts';
import { topologicalOrder } from './topological-order.ts';

export {
  type Attribute,
  arnOf,
  type ResourceIdentity,
  type ResourceType,
  stableDigest,
  stableId,
  stableUuid,
} from './resource-type.ts';
export { Stack, type StackResource } from './stack.ts';
export { type CloudFormationTemplate, TemplateError } from './template.ts';

/** Compiled templates as stacks that know each other's exports and SSM parameters. */
export interface Stacks {
  /** Each stack behind the stacks it imports from. */
  stacks: Stack[];
}

/**
 * Loads the templates of several stacks and checks that every reference in them can be resolved.
 *
 * @param environment the account, its region, the origin of the AWS port, and the resource types by name
 * @throws TemplateError for the first thing that cannot be resolved: a reference, an export nobody has or two have,
 *   stacks that import from each other
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
 */
export function loadStacks(
  templates: ReadonlyArray<{ stackName: string; template: CloudFormationTemplate }>,
  {
    accountId,
    region,
    awsUrl,
    resourceTypes,
  }: Pick<StackEnvironment, 'accountId' | 'region' | 'awsUrl' | 'resourceTypes'>,
): Stacks {
  const stacks = new Map<string, Stack>();
  const exporters = new Map<string, { stack: Stack; output: string }>();
  const environment: StackEnvironment = {
    accountId,
    region,
    awsUrl,
    resourceTypes,
    exportedValue: (name) => {
      const exporter = exporters.get(name);
      return exporter && { value: exporter.stack.output(exporter.output) };
    },
    ssmParameter: (name) => {
      const found = parameterDeclarations().find(([parameter]) => parameter === name);
      return found && String(found[1].stack.properties(found[1].logicalId).Value);
    },
  };
  const parameterDeclarations = () =>
    [...stacks.values()].flatMap((stack) =>
      stack.resourcesOfType('AWS::SSM::Parameter').map(({ name, logicalId }) => [name, { stack, logicalId }] as const),
    );

  for (const { stackName, template } of templates) {
    if (stacks.has(stackName)) throw new TemplateError(stackName, '', 'two services have this stack name');
    stacks.set(stackName, new Stack(stackName, template, environment));
  }
  for (const stack of stacks.values()) {
    for (const [name, output] of stack.exports()) {
      const other = exporters.get(name)?.stack;
      if (other) {
        throw new TemplateError(
          stack.name,
          `Outputs.${output}.Export`,
          `"${name}" is already exported by ${other.name}`,
        );
      }
      exporters.set(name, { stack, output });
    }
  }

  const importedFrom = (stackName: string): string[] => {
    const imports = stacks.get(stackName)?.imports() ?? new Map<string, string>();
    return [...imports].map(([name, place]) => {
      const exporter = exporters.get(name);
      if (!exporter) throw new TemplateError(stackName, place, `no stack exports "${name}"`);
      return exporter.stack.name;
    });
  };
  const order = topologicalOrder(
    stacks.keys(),
    importedFrom,
    (members) => new TemplateError(members[0] ?? '', '', `stacks import from each other: ${members.join(' → ')}`),
  );
  const ordered = order.flatMap((name) => stacks.get(name) ?? []);
  for (const stack of ordered) stack.check();

  return { stacks: ordered };
}
