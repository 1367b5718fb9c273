import type { AwsService, Host, RunningService } from '../../core/service.ts';
import { sqsAccess } from './access.ts';
import { sqsDifferences } from './differences.ts';
import { REPORTED_QUEUE_METRICS, reportQueueMetrics } from './metric-reports.ts';
import { json } from './protocol/json.ts';
import { query } from './protocol/query.ts';
import { sqsResourceTypes } from './resource-types.ts';
import { type Sqs, startSqs } from './sqs.ts';
import { findOlderMessages } from './storage/older-messages.ts';
import { billedRequests } from './usage.ts';

/** SQS: standard and FIFO queues. */
export const sqs: AwsService<Sqs> = {
  name: 'sqs',
  differences: sqsDifferences,
  protocols: [json, query],
  targets: ['AmazonSQS'],
  resourceTypes: sqsResourceTypes,
  access: sqsAccess,
  refusal: { code: 'AccessDeniedException', status: 403 },
  deliveryAction: 'sqs:SendMessage',
  metrics: { 'AWS/SQS': REPORTED_QUEUE_METRICS },
  meters: { 'sqs.requests': 'requests, each 64 KB is one [queue, or the function that asks]' },
  start,
};

async function start(host: Host): Promise<RunningService<Sqs>> {
  const { accountId, region, awsUrl, dataDirectory, clock, usage, options, warn } = host;
  const older = dataDirectory === undefined ? undefined : findOlderMessages(dataDirectory);
  if (older !== undefined) warn(older);
  const handle = startSqs({
    ...{ accountId, region, origin: awsUrl, dataDirectory, clock, shuffle: options.shuffle },
    onUsage: ({ queueName, requests, operation }) => usage?.add('sqs.requests', queueName, requests, operation),
  });
  const endReports = reportQueueMetrics(handle.queues, host);
  return {
    handle,
    api: ({ operation, input, request }) => handle.api.call(operation, input, {}, request.signal),
    deliver: (queueArn, body, options) => handle.deliver(queueArn, body, options),
    isThere: (queueArn) => handle.queues.byArn(queueArn) !== undefined,
    meter: (counted, { functionName, operation, input, output }) =>
      counted.add('sqs.requests', functionName, billedRequests(operation, input, output), operation),
    policyOf: (queueArn) => handle.policyOf(queueArn),
    console: () => handle.console(),
    [Symbol.asyncDispose]: () => {
      endReports();
      return handle[Symbol.asyncDispose]();
    },
  };
}
