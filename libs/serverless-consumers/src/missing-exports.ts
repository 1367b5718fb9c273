import { importedNames } from './imported-names.ts';
import type { Osls } from './osls.ts';

/**
 * Asks CloudFormation for what the stacks of the account and the region export, before anything is created: it would find
 * out itself, but only after a stack with a bucket stands there.
 * @returns the names that the compiled template imports and nobody exports
 * @throws the SDK's errors
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListExports.html
 */
export async function missingExports(serverless: Osls): Promise<string[]> {
  const missing = new Set(importedNames(serverless.service.provider.compiledCloudFormationTemplate));
  if (missing.size === 0) return [];
  const { CloudFormationClient, paginateListExports } = await import('@aws-sdk/client-cloudformation');
  const client = new CloudFormationClient(await serverless.getProvider('aws').getAwsSdkV3Config());
  for await (const { Exports = [] } of paginateListExports({ client }, {})) {
    for (const { Name } of Exports) missing.delete(String(Name));
  }
  return [...missing];
}
