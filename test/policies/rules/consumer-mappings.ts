import type { Finding, Rule } from '../rule.ts';
import { at, entriesOf, list, referenceTo } from '../template.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
export const maximumConcurrency: Rule = {
  name: 'maximum-concurrency',
  why: 'a burst in one queue takes the concurrency of the whole account',
  check(service) {
    return queueMappings(service).flatMap(({ id, properties }) =>
      Number(at(properties, 'ScalingConfig', 'MaximumConcurrency')) >= 2
        ? []
        : [{ resource: id, problem: 'has no ScalingConfig.MaximumConcurrency' }],
    );
  },
};

/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting */
export const partialBatches: Rule = {
  name: 'partial-batches',
  why: 'one bad record makes its whole batch fail, and the good ones are handled again and again',
  check(service) {
    return entriesOf(service, 'AWS::Lambda::EventSourceMapping').flatMap(({ id, properties }) =>
      list(properties.FunctionResponseTypes).includes('ReportBatchItemFailures')
        ? []
        : [{ resource: id, problem: 'FunctionResponseTypes has no ReportBatchItemFailures' }],
    );
  },
};

/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
export const visibilityTimeouts: Rule = {
  name: 'visibility-timeouts',
  why: 'a message is received again while the function is still at work on it',
  check(service) {
    return queueMappings(service).flatMap(({ properties }): Finding[] => {
      const queue = referenceTo(properties.EventSourceArn) ?? '';
      const visible = Number(service.template.Resources?.[queue]?.Properties?.VisibilityTimeout ?? 30);
      const handler = referenceTo(properties.FunctionName) ?? '';
      const timeout = Number(service.template.Resources?.[handler]?.Properties?.Timeout ?? 3);
      const needed = 6 * timeout + Number(properties.MaximumBatchingWindowInSeconds ?? 0);
      // Far longer, and an event waits that long for its second attempt after a function that was killed.
      if (visible >= needed && visible <= 2 * needed) return [];
      const problem = `VisibilityTimeout is ${visible} s, and ${handler} with its Timeout of ${timeout} s needs ${needed} s`;
      return [{ resource: queue, problem }];
    });
  },
};

function queueMappings(service: Parameters<Rule['check']>[0]) {
  return entriesOf(service, 'AWS::Lambda::EventSourceMapping').filter(({ properties }) => {
    const source = referenceTo(properties.EventSourceArn);
    return source !== undefined && service.template.Resources?.[source]?.Type === 'AWS::SQS::Queue';
  });
}
