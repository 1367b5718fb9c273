import {
  CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  paginateListExports,
} from '@aws-sdk/client-cloudformation';
import type { Template } from './data-losses.ts';
import { packageHashOutput } from './package-hash.ts';
import type { Deployed, DeployedStack } from './plan.ts';

/** @param endpoint of an emulator; AWS with its default credentials without one */
export function createCloudFormation(region: string, endpoint: string | undefined): CloudFormationClient {
  return new CloudFormationClient({
    region,
    ...(endpoint !== undefined && { endpoint, ...(process.env.AWS_ACCESS_KEY_ID === undefined && { credentials }) }),
  });
}

/** An emulator takes any. */
const credentials = { accessKeyId: 'operator', secretAccessKey: 'local' };

/** What a child process needs to reach the same place. */
export function environmentFor(endpoint: string | undefined): NodeJS.ProcessEnv {
  if (endpoint === undefined) return process.env;
  return {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    ...process.env,
    AWS_ENDPOINT_URL: endpoint,
  };
}

/**
 * Reads the stacks of these names, and what all stacks of the region export.
 * @throws the SDK's errors, but for a stack that is not there
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html
 */
export async function readDeployed(client: CloudFormationClient, stackNames: readonly string[]): Promise<Deployed> {
  const stacks = new Map<string, DeployedStack>();
  await Promise.all(
    stackNames.map(async (name) => {
      const stack = await readStack(client, name);
      if (stack) stacks.set(name, stack);
    }),
  );
  const exports = new Set<string>();
  for await (const page of paginateListExports({ client }, {})) {
    for (const { Name } of page.Exports ?? []) if (Name !== undefined) exports.add(Name);
  }
  return { stacks, exports };
}

async function readStack(client: CloudFormationClient, StackName: string): Promise<DeployedStack | undefined> {
  try {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName }));
    // A stack whose first change set was never executed has no template.
    if (!stack || stack.StackStatus === 'REVIEW_IN_PROGRESS' || stack.StackStatus === 'DELETE_COMPLETE')
      return undefined;
    const { TemplateBody = '{}' } = await client.send(new GetTemplateCommand({ StackName, TemplateStage: 'Original' }));
    const hash = stack.Outputs?.find(({ OutputKey }) => OutputKey === packageHashOutput)?.OutputValue;
    return { status: String(stack.StackStatus), template: JSON.parse(TemplateBody) as Template, packageHash: hash };
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationError' && /does not exist/.test(error.message))
      return undefined;
    throw error;
  }
}
