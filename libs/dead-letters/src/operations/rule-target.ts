import { type EventBridgeClient, ListTargetsByRuleCommand } from '@aws-sdk/client-eventbridge';

/**
 * Asks EventBridge for the message group that a rule gives its target; each rule once.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html
 */
export function ruleMessageGroups(
  events: Pick<EventBridgeClient, 'send'>,
): (ruleArn: string, targetArn: string) => Promise<string | undefined> {
  const known = new Map<string, Promise<string | undefined>>();
  return (ruleArn, targetArn) => {
    const key = `${ruleArn} ${targetArn}`;
    const group = known.get(key) ?? readGroup(events, ruleArn, targetArn);
    known.set(key, group);
    return group;
  };
}

async function readGroup(
  events: Pick<EventBridgeClient, 'send'>,
  ruleArn: string,
  targetArn: string,
): Promise<string | undefined> {
  // arn:aws:events:us-east-1:123456789012:rule/<bus>/<rule>; on the default bus there is no <bus>
  const [bus, rule] = ruleArn.split(':rule/').at(-1)?.split('/') ?? [];
  const { Targets = [] } = await events.send(
    new ListTargetsByRuleCommand(rule === undefined ? { Rule: bus } : { Rule: rule, EventBusName: bus }),
  );
  return Targets.find(({ Arn }) => Arn === targetArn)?.SqsParameters?.MessageGroupId;
}
