import type { EventBridge } from './eventbridge/index.ts';

/**
 * Creates a bus as its CloudFormation properties say.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbus.html
 */
export async function createEventBus(
  events: EventBridge,
  name: string,
  properties: Record<string, unknown>,
): Promise<void> {
  const { Description } = properties;
  await events.handle('CreateEventBus', { Name: name, ...(Description === undefined ? {} : { Description }) });
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
  properties: Record<string, unknown>,
): Promise<void> {
  const { EventPattern, EventBusName, Targets, Name: _name, Tags: _tags, ...settings } = properties;
  const bus = EventBusName === undefined ? {} : { EventBusName };
  await events.handle('PutRule', {
    ...settings,
    ...bus,
    Name: name,
    ...(EventPattern === undefined
      ? {}
      : { EventPattern: typeof EventPattern === 'string' ? EventPattern : JSON.stringify(EventPattern) }),
  });
  if (!Array.isArray(Targets) || Targets.length === 0) return;
  const answer = await events.handle('PutTargets', { ...bus, Rule: name, Targets });
  const { FailedEntries = [] } = answer as { FailedEntries?: Array<{ TargetId?: string; ErrorMessage?: string }> };
  const [failed] = FailedEntries;
  if (failed) throw new Error(`target ${failed.TargetId}: ${failed.ErrorMessage}`);
}
