import type { Rule } from '../rule.ts';
import { entriesOf } from '../template.ts';

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html */
export const logRetention: Rule = {
  name: 'log-retention',
  why: 'a log group without a retention is kept, and paid for, for ever',
  check(service) {
    const groups = entriesOf(service, 'AWS::Logs::LogGroup');
    const forEver = groups
      .filter(({ properties }) => typeof properties.RetentionInDays !== 'number')
      .map(({ id }) => ({ resource: id, problem: 'has no RetentionInDays' }));
    const names = new Set(groups.map(({ properties }) => properties.LogGroupName));
    const missing = entriesOf(service, 'AWS::Lambda::Function')
      .filter(({ properties }) => !names.has(`/aws/lambda/${properties.FunctionName}`))
      .map(({ id }) => ({ resource: id, problem: 'has no log group: Lambda would make one that keeps everything' }));
    const owners = new Set([
      ...entriesOf(service, 'AWS::Lambda::Function').map(({ properties }) => `/aws/lambda/${properties.FunctionName}`),
      ...entriesOf(service, 'AWS::ApiGatewayV2::Api').map(
        () => `/aws/http-api/millrace-${service.name}-${service.stage}`,
      ),
      ...entriesOf(service, 'AWS::KinesisFirehose::DeliveryStream').map(
        ({ properties }) => `/aws/kinesisfirehose/${properties.DeliveryStreamName}`,
      ),
    ]);
    const others = groups
      .filter(({ properties }) => !owners.has(String(properties.LogGroupName)))
      .map(({ id, properties }) => ({
        resource: id,
        problem: `${properties.LogGroupName} is the group of no function, API or delivery stream`,
      }));
    return [...forEver, ...missing, ...others];
  },
};
