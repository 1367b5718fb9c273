import type { Consumer } from './consumer-definition.ts';
import type { CfnResource } from './osls.ts';

/**
 * The mapping from queue to function: a partial response fails its messages alone, and no more than
 * `maximumConcurrency` batches run at once, so that a burst cannot take the account's concurrency from other functions.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-lambda-eventsourcemapping.html
 */
export function eventSourceMapping({ id, functionId, settings }: Consumer): Record<string, CfnResource> {
  return {
    [`${id}EventSourceMapping`]: {
      Type: 'AWS::Lambda::EventSourceMapping',
      // Lambda checks the role's permissions when the mapping is created.
      DependsOn: [`${id}Role`],
      Properties: {
        EventSourceArn: { 'Fn::GetAtt': [`${id}Queue`, 'Arn'] },
        FunctionName: { 'Fn::GetAtt': [functionId, 'Arn'] },
        Enabled: true,
        BatchSize: settings.batchSize,
        // Lambda refuses the property on a FIFO queue, even when it is zero.
        ...(!settings.fifo && { MaximumBatchingWindowInSeconds: settings.batchWindow }),
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: settings.maximumConcurrency },
      },
    },
  };
}
