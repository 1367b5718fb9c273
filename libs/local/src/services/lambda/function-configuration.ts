import { codeDigest } from './code-digest.ts';
import { describeDurableConfig } from './durable/durable-config.ts';
import type { LocalFunction, VersionConfiguration } from './local-function.ts';

/** https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html */
export function describe(found: LocalFunction, qualifier?: string): Record<string, unknown> {
  const { configuration } = found.version(qualifier);
  return {
    ...describeVersion(configuration),
    FunctionArn: found.arnOf(qualifier),
  };
}

/** With the version in its ARN. */
export function describeVersion(version: VersionConfiguration): Record<string, unknown> {
  return {
    FunctionName: version.name,
    FunctionArn: `${version.arn}:${version.version}`,
    Runtime: 'nodejs24.x',
    Role: version.role,
    Handler: version.handler,
    Description: version.description,
    Timeout: version.timeoutSeconds,
    MemorySize: version.memoryMb,
    LastModified: new Date(version.lastModified).toISOString().replace('Z', '+0000'),
    CodeSha256: codeDigest(version.codeDirectory),
    Version: version.version,
    ...(version.deadLetterQueue !== undefined && { DeadLetterConfig: { TargetArn: version.deadLetterQueue } }),
    ...(version.durable && { DurableConfig: describeDurableConfig(version.durable) }),
    Environment: { Variables: version.environment },
    RevisionId: version.revisionId,
    PackageType: 'Zip',
    State: 'Active',
    LastUpdateStatus: 'Successful',
  };
}
