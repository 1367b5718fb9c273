import { alarms } from './alarms.ts';
import type { Consumer } from './consumer-definition.ts';
import { eventSourceMapping } from './event-source-mapping.ts';
import type { CfnResource } from './osls.ts';
import { queueResources } from './queue-resources.ts';
import { ruleResources } from './rule-resources.ts';

/** Everything a `consume` becomes, but the function and its role. */
export function consumerResources(consumer: Consumer): Record<string, CfnResource> {
  return {
    ...ruleResources(consumer),
    ...queueResources(consumer),
    ...eventSourceMapping(consumer),
    ...alarms(consumer),
  };
}

/** What the consumer pipeline in the function reads from its environment. */
export function consumerEnvironment({ id, name, settings }: Consumer): Record<string, unknown> {
  return {
    MILLRACE_CONSUMER: name,
    MILLRACE_CONSUMER_QUEUE_URL: { Ref: `${id}Queue` },
    MILLRACE_CONSUMER_DLQ_URL: { Ref: `${id}DeadLetterQueue` },
    MILLRACE_MAX_RECEIVE_COUNT: String(settings.maxReceiveCount),
    MILLRACE_MAX_RETRY_DELAY: String(settings.maxRetryDelay),
    MILLRACE_QUEUE_RETENTION: String(settings.retention),
    MILLRACE_REPLAYS: settings.replays,
  };
}
