import { eventBridgeLimits } from '@millrace/events/aws-limits';
import { ConfigurationError } from './configuration-error.ts';
import type { Consumer } from './consumer-definition.ts';
import { acceptedTypes } from './event-names.ts';
import type { CfnResource } from './osls.ts';

/**
 * The rule on the domain or the analytics bus that copies the consumed events to the queue. It retries as long as EventBridge can (a day,
 * 185 times), then puts the event into the rule's own dead-letter queue.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-events-rule.html
 * @throws ConfigurationError CONSUMERS_INVALID_FILTER when the pattern is too long for EventBridge
 */
export function ruleResources({
  id,
  key,
  names,
  name,
  settings,
  events,
  platform,
}: Consumer): Record<string, CfnResource> {
  const pattern = {
    source: [...new Set(events.map(({ source }) => source))],
    'detail-type': acceptedTypes(events),
    ...(settings.filter && { detail: settings.filter }),
  };
  const { length } = JSON.stringify(pattern);
  const { patternLength } = platform;
  if (length > patternLength) {
    const { patternLength: byDefault, raisedPatternLength } = eventBridgeLimits;
    const problem =
      `the rule's pattern would have ${length} characters, but EventBridge allows ${patternLength}: shorten it or divide ` +
      `the events among functions. An account's quota can be raised from ${byDefault} to ${raisedPatternLength}; then say ` +
      'so with custom.consumers.rulePatternLength';
    throw new ConfigurationError(
      'CONSUMERS_INVALID_FILTER',
      settings.filter ? `${key}.filter` : `${key}.events`,
      problem,
    );
  }
  return {
    [`${id}Rule`]: {
      Type: 'AWS::Events::Rule',
      Properties: {
        Name: names.rule,
        Description: `Feeds ${name}`,
        EventBusName: settings.bus === 'analytics' ? platform.analyticsBusName : platform.eventBusName,
        EventPattern: pattern,
        Targets: [
          {
            Id: 'queue',
            Arn: { 'Fn::GetAtt': [`${id}Queue`, 'Arn'] },
            RetryPolicy: {
              MaximumEventAgeInSeconds: eventBridgeLimits.retryAge,
              MaximumRetryAttempts: eventBridgeLimits.retryAttempts,
            },
            DeadLetterConfig: { Arn: { 'Fn::GetAtt': [`${id}RuleDeadLetterQueue`, 'Arn'] } },
            ...(settings.fifo && { SqsParameters: { MessageGroupId: settings.messageGroupId } }),
          },
        ],
      },
    },
  };
}
