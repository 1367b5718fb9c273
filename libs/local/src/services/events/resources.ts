import { eventBridgeLimits } from '@millrace/events/aws-limits';
import { policyWithStatement } from './bus-policy.ts';
import type { EventBridge } from './event-bridge.ts';

/**
 * Creates a bus as its CloudFormation properties say.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbus.html
 */
export async function createEventBus(
  events: EventBridge,
  name: string,
  properties: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { Description, Policy } = properties;
  await events.declare('CreateEventBus', { Name: name, ...(Description === undefined ? {} : { Description }) });
  if (Policy === undefined) return;
  await events.declare('PutPermission', {
    EventBusName: name,
    Policy: typeof Policy === 'string' ? Policy : JSON.stringify(Policy),
  });
}

/**
 * Adds a statement to the policy of a bus as its CloudFormation properties say.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbuspolicy.html
 */
export async function createEventBusPolicy(
  events: EventBridge,
  properties: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { EventBusName, StatementId, Statement, ...parts } = properties;
  const bus = EventBusName === undefined ? {} : { EventBusName };
  if (typeof Statement !== 'object' || Statement === null) {
    await events.declare('PutPermission', { ...bus, StatementId, ...parts });
    return;
  }
  const present = (await events.handle('DescribeEventBus', { Name: EventBusName })) as { Policy?: string };
  const Policy = policyWithStatement(present.Policy, String(StatementId), Statement);
  await events.declare('PutPermission', { ...bus, Policy });
}

/**
 * Creates an archive as its CloudFormation properties say.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-archive.html
 */
export async function createArchive(
  events: EventBridge,
  name: string,
  properties: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { SourceArn, EventPattern, RetentionDays, Description } = properties;
  await events.declare('CreateArchive', {
    ArchiveName: name,
    EventSourceArn: SourceArn,
    Description,
    ...(EventPattern === undefined ? {} : { EventPattern: patternText(EventPattern) }),
    ...(RetentionDays === undefined ? {} : { RetentionDays: Number(RetentionDays) }),
  });
}

/**
 * Creates a rule and its targets as its CloudFormation properties say.
 *
 * @throws AwsError EventBridge's own; Error when a target is refused
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html
 */
export async function createRule(
  events: EventBridge,
  name: string,
  properties: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { EventPattern, EventBusName, Targets, Name: _name, Tags: _tags, ...settings } = properties;
  const bus = EventBusName === undefined ? {} : { EventBusName };
  const pattern = EventPattern === undefined ? undefined : patternText(EventPattern);
  // The build has let it pass, so the account that it is meant for has a higher quota.
  if ((pattern?.length ?? 0) > eventBridgeLimits.patternLength) events.raisePatternQuota();
  await events.declare('PutRule', {
    ...settings,
    ...bus,
    Name: name,
    ...(pattern === undefined ? {} : { EventPattern: pattern }),
  });
  if (!Array.isArray(Targets) || Targets.length === 0) return;
  const answer = await events.declare('PutTargets', { ...bus, Rule: name, Targets });
  const { FailedEntries = [] } = answer as { FailedEntries?: Array<{ TargetId?: string; ErrorMessage?: string }> };
  const [failed] = FailedEntries;
  if (failed) throw new Error(`target ${failed.TargetId}: ${failed.ErrorMessage}`);
}

/**
 * Creates a connection as its CloudFormation properties say.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-connection.html
 * @param id the last part of its ARN
 */
export async function createConnection(
  events: EventBridge,
  name: string,
  properties: Readonly<Record<string, unknown>>,
  id: string,
): Promise<void> {
  await events.declare('CreateConnection', { ...properties, Name: name }, id);
}

/**
 * Creates an API destination as its CloudFormation properties say.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-apidestination.html
 * @param id the last part of its ARN
 */
export async function createApiDestination(
  events: EventBridge,
  name: string,
  properties: Readonly<Record<string, unknown>>,
  id: string,
): Promise<void> {
  const { InvocationRateLimitPerSecond: rate, ...rest } = properties;
  const limit = rate === undefined ? {} : { InvocationRateLimitPerSecond: Number(rate) };
  await events.declare('CreateApiDestination', { ...rest, ...limit, Name: name }, id);
}

/** A template may have a pattern as JSON or as its text. */
function patternText(pattern: unknown): string {
  return typeof pattern === 'string' ? pattern : JSON.stringify(pattern);
}
