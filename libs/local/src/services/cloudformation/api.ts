import { createHash } from 'node:crypto';
import type { Stack } from '@millrace/cloudformation';
import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import { pageOf } from '../../core/page.ts';
import type { Operations } from '../../core/service.ts';

export interface StacksOptions {
  region: string;
  accountId: string;
  /** The stacks of the templates, with their resources created. */
  stacks: () => readonly Stack[];
  /** When they were created, in milliseconds since the epoch. */
  createdAt: number;
}

const PER_PAGE = 100;
const STATUS = 'CREATE_COMPLETE';

/**
 * The operations that read. Stacks come from the templates of the workspace and are changed there.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
 */
export function cloudFormationApi(options: StacksOptions): Operations {
  return {
    DescribeStacks: (input) => describeStacks(options, input),
    ListStacks: (input) => listStacks(options, input),
    DescribeStackResource: (input) => describeStackResource(options, input),
    DescribeStackResources: (input) => describeStackResources(options, input),
    ListStackResources: (input) => listStackResources(options, input),
    GetTemplate: (input) => getTemplate(options, input),
    ListExports: (input) => listExports(options, input),
    ListImports: (input) => listImports(options, input),
  };
}

function describeStacks(options: StacksOptions, input: Input): object {
  const described = (input.StackName === undefined ? options.stacks() : [requireStack(options, input)]).map((stack) => {
    const exportNames = new Map([...stack.exports()].map(([name, output]) => [output, name]));
    return {
      ...identityOf(stack, options),
      Capabilities: ['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM'],
      CreationTime: new Date(options.createdAt),
      StackStatus: STATUS,
      DisableRollback: false,
      DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
      Parameters: Object.entries(stack.template.Parameters ?? {}).map(([ParameterKey, { Default }]) => ({
        ParameterKey,
        ParameterValue: String(Default),
      })),
      Outputs: Object.entries(stack.outputs()).map(([OutputKey, value]) => ({
        OutputKey,
        OutputValue: String(value),
        ExportName: exportNames.get(OutputKey),
      })),
      Tags: [],
    };
  });
  return paged(described, 'Stacks', ({ StackName }) => StackName, input);
}

function listStacks(options: StacksOptions, input: Input): object {
  const { StackStatusFilter } = input as { StackStatusFilter?: string[] };
  const stacks = StackStatusFilter && !StackStatusFilter.includes(STATUS) ? [] : options.stacks();
  const summaries = stacks.map((stack) => ({
    ...identityOf(stack, options),
    CreationTime: new Date(options.createdAt),
    StackStatus: STATUS,
  }));
  return paged(summaries, 'StackSummaries', ({ StackName }) => StackName, input);
}

function describeStackResource(options: StacksOptions, input: Input): object {
  const stack = requireStack(options, input);
  const [found] = resourcesOf(stack).filter(({ LogicalResourceId }) => LogicalResourceId === input.LogicalResourceId);
  if (found)
    return {
      StackResourceDetail: { ...identityOf(stack, options), ...withTime(found, 'LastUpdatedTimestamp', options) },
    };
  throw invalid(`Resource ${input.LogicalResourceId} does not exist for stack ${stack.name}`);
}

function describeStackResources(options: StacksOptions, input: Input): object {
  const { StackName, LogicalResourceId, PhysicalResourceId } = input;
  if ((StackName === undefined) === (PhysicalResourceId === undefined)) {
    throw invalid('Exactly one of StackName and PhysicalResourceId must be provided');
  }
  const stacks = StackName === undefined ? options.stacks() : [requireStack(options, input)];
  const found = stacks
    .map((stack) => ({ stack, resources: resourcesOf(stack) }))
    .filter(({ resources }) =>
      PhysicalResourceId === undefined
        ? true
        : resources.some((resource) => resource.PhysicalResourceId === PhysicalResourceId),
    );
  if (found.length === 0) throw invalid(`Stack for ${PhysicalResourceId} does not exist`);
  return {
    StackResources: found.flatMap(({ stack, resources }) =>
      resources
        .filter((resource) => LogicalResourceId === undefined || resource.LogicalResourceId === LogicalResourceId)
        .map((resource) => ({ ...identityOf(stack, options), ...withTime(resource, 'Timestamp', options) })),
    ),
  };
}

function listStackResources(options: StacksOptions, input: Input): object {
  const resources = resourcesOf(requireStack(options, input)).map((resource) =>
    withTime(resource, 'LastUpdatedTimestamp', options),
  );
  return paged(resources, 'StackResourceSummaries', ({ LogicalResourceId }) => LogicalResourceId, input);
}

function getTemplate(options: StacksOptions, input: Input): object {
  const { template } = requireStack(options, input);
  return { TemplateBody: JSON.stringify(template), StagesAvailable: ['Original', 'Processed'] };
}

function listExports(options: StacksOptions, input: Input): object {
  const found = options.stacks().flatMap((stack) =>
    [...stack.exports()].map(([Name, output]) => ({
      ExportingStackId: identityOf(stack, options).StackId,
      Name,
      Value: String(stack.output(output)),
    })),
  );
  return paged(found, 'Exports', ({ Name }) => Name, input);
}

function listImports(options: StacksOptions, input: Input): object {
  const name = String(input.ExportName);
  const found = options.stacks().filter((stack) => stack.imports().has(name));
  if (found.length === 0) throw invalid(`Export '${name}' is not imported by any stack.`);
  return { Imports: found.map((stack) => stack.name) };
}

/** @throws AwsError ValidationError for a stack that is not there */
function requireStack(options: StacksOptions, { StackName }: Input): Stack {
  if (StackName === undefined)
    throw invalid(
      "1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null",
    );
  const found = options
    .stacks()
    .find((stack) => stack.name === StackName || identityOf(stack, options).StackId === StackName);
  if (!found) throw invalid(`Stack with id ${StackName} does not exist`);
  return found;
}

function identityOf({ name }: Stack, { region, accountId }: StacksOptions): { StackName: string; StackId: string } {
  // AWS draws it at random; here it is the same at each start.
  const hex = createHash('sha256').update(name).digest('hex');
  const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
  return { StackName: name, StackId: `arn:aws:cloudformation:${region}:${accountId}:stack/${name}/${id}` };
}

interface Resource {
  LogicalResourceId: string;
  PhysicalResourceId: string;
  ResourceType: string;
  ResourceStatus: string;
}

function resourcesOf(stack: Stack): Resource[] {
  return stack.resources().map(({ logicalId, type }) => ({
    LogicalResourceId: logicalId,
    PhysicalResourceId: stack.ref(logicalId),
    ResourceType: type,
    ResourceStatus: STATUS,
  }));
}

/** The same time has another name in each operation. */
function withTime<Name extends string>(resource: Resource, name: Name, { createdAt }: StacksOptions): Resource {
  return { ...resource, [name]: new Date(createdAt) };
}

function paged<Item>(
  items: readonly Item[],
  name: string,
  keyOf: (item: Item) => string,
  { NextToken }: Input,
): object {
  const sorted = items.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  const { page, ...next } = pageOf(sorted, keyOf, { MaxResults: PER_PAGE, NextToken });
  return { [name]: page, ...next };
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationError', message);
}
