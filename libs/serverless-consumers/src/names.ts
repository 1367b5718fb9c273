import {
  eventBridgeLimits,
  lambdaLimits,
  roleNameLength,
  schedulerLimits,
  sqsLimits,
} from '@millrace/events/aws-limits';
import { ConfigurationError } from './configuration-error.ts';

/** Service names in serverless.yml carry it, sources and consumer names do not: `millrace-orders` is `orders`. */
const namespace = 'millrace-';

/** The service as contracts and event sources know it: `millrace-orders` → `orders`. */
export function shortServiceName(service: string): string {
  return service.startsWith(namespace) ? service.slice(namespace.length) : service;
}

/** What the names of a service's resources begin with: `orders`, `dev` → `millrace-orders-dev`. */
export function resourcePrefix(shortName: string, stage: string): string {
  return `${namespace}${shortName}-${stage}`;
}

/**
 * Checks a stage's name. Policies and tools know a stage's roles and queues by `millrace-<service>-<stage>-`: with a hyphen
 * in its name, `dev-eu` would be a part of `dev`.
 * @throws ConfigurationError CONSUMERS_STAGE_NAME
 */
export function checkStage(stage: string, key: string): void {
  if (/^[a-z][a-z0-9]*$/.test(stage)) return;
  throw new ConfigurationError(
    'CONSUMERS_STAGE_NAME',
    key,
    `the stage "${stage}" must be lower-case letters and digits: with a hyphen it could be taken for a part of another stage`,
  );
}

/** The physical names of what one `consume` becomes. */
export interface ConsumerNames {
  rule: string;
  queue: string;
  deadLetterQueue: string;
  ruleDeadLetterQueue: string;
}

/**
 * `millrace-inventory`, `dev`, `onOrderPlaced` → `millrace-inventory-dev-on-order-placed`, `…-dlq`, `…-rule-dlq`.
 * A FIFO queue's name ends in `.fifo`, and so does its dead-letter queue's, which must be FIFO too. The rule's
 * dead-letter queue stays a standard one: EventBridge takes no other.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
 */
export function consumerNames(service: string, stage: string, functionKey: string, fifo: boolean): ConsumerNames {
  const base = functionResourceName(service, stage, functionKey);
  const suffix = fifo ? '.fifo' : '';
  return {
    rule: base,
    queue: `${base}${suffix}`,
    deadLetterQueue: `${base}-dlq${suffix}`,
    ruleDeadLetterQueue: `${base}-rule-dlq`,
  };
}

/**
 * `millrace-orders`, `dev`, `setTimeLimit` → `millrace-orders-dev-set-time-limit`.
 */
export function functionResourceName(service: string, stage: string, functionKey: string): string {
  return `${service}-${stage}-${kebabCase(functionKey)}`;
}

function kebabCase(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();
}

/**
 * Checks the names against AWS's limits.
 * @throws ConfigurationError CONSUMERS_NAME_TOO_LONG
 */
export function checkConsumerNames(names: ConsumerNames, stage: string, key: string): void {
  checkLength('rule', names.rule, eventBridgeLimits.ruleNameLength, stage, key);
  checkLength('queue', names.queue, sqsLimits.queueNameLength, stage, key);
  checkLength('queue', names.deadLetterQueue, sqsLimits.queueNameLength, stage, key);
  checkLength('queue', names.ruleDeadLetterQueue, sqsLimits.queueNameLength, stage, key);
}

/**
 * Checks the names of a schedule group and its dead-letter queue.
 * @throws ConfigurationError CONSUMERS_NAME_TOO_LONG
 */
export function checkScheduleNames(group: string, deadLetterQueue: string, stage: string, key: string): void {
  checkLength('schedule group', group, schedulerLimits.groupNameLength, stage, key);
  checkLength('queue', deadLetterQueue, sqsLimits.queueNameLength, stage, key);
}

/**
 * Checks the name of a queue.
 * @throws ConfigurationError CONSUMERS_NAME_TOO_LONG
 */
export function checkQueueName(queue: string, stage: string, key: string): void {
  checkLength('queue', queue, sqsLimits.queueNameLength, stage, key);
}

/**
 * Checks a Lambda function's name.
 * @throws ConfigurationError CONSUMERS_NAME_TOO_LONG
 */
export function checkFunctionName(name: string, stage: string, key: string): void {
  checkLength('function', name, lambdaLimits.functionNameLength, stage, key);
}

/**
 * Checks that CloudFormation can make up the name of a role without shortening the stack's name in it, by which the
 * policy of the bus knows a service's roles, and what it puts at the end.
 * @throws ConfigurationError CONSUMERS_NAME_TOO_LONG
 */
export function checkRoleName(stackName: string, role: string, stage: string, key: string): void {
  checkLength('role', `${stackName}-${role}-${'x'.repeat(12)}`, roleNameLength, stage, key);
}

function checkLength(kind: string, name: string, limit: number, stage: string, key: string): void {
  if (name.length <= limit) return;
  throw new ConfigurationError(
    'CONSUMERS_NAME_TOO_LONG',
    key,
    `at stage ${stage} the ${kind} would be called ${name}, ${name.length} characters where AWS allows ${limit}: ` +
      `shorten the name of the function, the service or the stage by ${name.length - limit}`,
  );
}
