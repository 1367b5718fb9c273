import { type Stack, type StackResource, TemplateError } from '@millrace/cloudformation';
import { createTable } from '../services/dynamodb/tables.ts';
import type { EventBridge } from '../services/events/index.ts';
import { createArchive, createEventBus, createEventBusPolicy, createRule } from '../services/events/resources.ts';
import type { Fauxqs } from '../services/fauxqs/fauxqs.ts';
import { createQueuePolicy, createTopicPolicy } from '../services/fauxqs/resource-policy.ts';
import { createQueue } from '../services/fauxqs/sqs-queues.ts';
import { isDeliverable } from './delivery.ts';
import { RESOURCE_TYPES } from './resource-types.ts';

/** The services that resources are created in. */
export interface DeploymentTargets {
  fauxqs: Fauxqs;
  dynamodb: { endpoint: string; region: string };
  events: EventBridge;
}

/** What a stack's resources of the other types are made into elsewhere: functions, mappings, alarms and the HTTP API by the runtime. */
const CREATED_BY_RUNTIME = new Set([
  'AWS::Lambda::Function',
  'AWS::Lambda::EventSourceMapping',
  'AWS::ApiGatewayV2::Api',
  'AWS::ApiGatewayV2::Stage',
  'AWS::ApiGatewayV2::Route',
  'AWS::ApiGatewayV2::Integration',
  'AWS::ApiGatewayV2::Authorizer',
  'AWS::SSM::Parameter',
  'AWS::CloudWatch::Alarm',
]);

/**
 * Creates the queues, tables, topics, buckets, buses, archives and rules of a stack, each after those it depends on.
 *
 * @throws TemplateError for the first resource that its service refuses, with the service's reason
 */
export async function deployStack(stack: Stack, targets: DeploymentTargets): Promise<void> {
  for (const resource of stack.resources()) {
    try {
      await create(stack, resource, targets);
    } catch (error) {
      if (error instanceof TemplateError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new TemplateError(stack.name, `Resources.${resource.logicalId}`, reason);
    }
  }
}

/**
 * What a stack declares that this machine has nothing for, each as one line.
 * Types that are known to have no effect here (roles, log groups …) are not worth a warning.
 */
export function unsupportedResources(stack: Stack): string[] {
  const unknown = new Map<string, string[]>();
  const warnings: string[] = [];
  for (const { type, logicalId, definition } of stack.resources()) {
    if (!definition) unknown.set(type, [...(unknown.get(type) ?? []), logicalId]);
    if (type === 'AWS::Events::Rule') {
      const { ScheduleExpression, Targets } = stack.properties(logicalId);
      if (ScheduleExpression !== undefined) warnings.push(`${logicalId} is not run on its schedule`);
      for (const { Arn } of (Targets ?? []) as Array<{ Arn: string }>) {
        if (!isDeliverable(Arn)) warnings.push(`${logicalId} cannot deliver to ${Arn}`);
      }
    }
    if (type === 'AWS::SNS::Subscription' && stack.properties(logicalId).Protocol !== 'sqs') {
      warnings.push(`${logicalId} gets nothing: only sqs subscriptions are delivered to`);
    }
  }
  for (const [type, logicalIds] of unknown) warnings.push(`${type} is not available here: ${logicalIds.join(', ')}`);
  return warnings.map((warning) => `Stack ${stack.name}: ${warning}`);
}

async function create(
  stack: Stack,
  { type, logicalId, name }: StackResource,
  { fauxqs, dynamodb, events }: DeploymentTargets,
): Promise<void> {
  if (!RESOURCE_TYPES[type] || RESOURCE_TYPES[type].inert || CREATED_BY_RUNTIME.has(type)) return;
  const properties = stack.properties(logicalId);
  switch (type) {
    case 'AWS::SQS::Queue':
      return createQueue(fauxqs, name, properties);
    case 'AWS::DynamoDB::Table': {
      const { streamArn } = await createTable(dynamodb, name, properties);
      if (streamArn !== undefined) stack.setAttribute(logicalId, 'StreamArn', streamArn);
      return;
    }
    case 'AWS::SQS::QueuePolicy':
      return createQueuePolicy(fauxqs, properties);
    case 'AWS::SNS::Topic':
      await fauxqs.sns('CreateTopic', { Name: name });
      // The one it may have kept: a policy is a resource of its own, which may have been taken out of the template.
      await fauxqs.sns('SetTopicAttributes', {
        TopicArn: stack.ref(logicalId),
        AttributeName: 'Policy',
        AttributeValue: '',
      });
      return;
    case 'AWS::SNS::TopicPolicy':
      return createTopicPolicy(fauxqs, properties);
    case 'AWS::SNS::Subscription':
      return subscribe(fauxqs, properties);
    case 'AWS::S3::Bucket':
      // osls uploads packages here when it deploys; nothing is uploaded on this machine.
      return logicalId === 'ServerlessDeploymentBucket' ? undefined : fauxqs.createBucket(name);
    case 'AWS::Events::EventBus':
      return createEventBus(events, name, properties);
    case 'AWS::Events::EventBusPolicy':
      return createEventBusPolicy(events, properties);
    case 'AWS::Events::Archive':
      return createArchive(events, name, properties);
    case 'AWS::Events::Rule':
      return createRule(events, name, properties);
    default:
      throw new Error(`${type} is in the table of resource types, but nothing creates it`);
  }
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-subscription.html */
async function subscribe(fauxqs: Fauxqs, properties: Record<string, unknown>): Promise<void> {
  const { TopicArn, Protocol, Endpoint } = properties;
  if (Protocol !== 'sqs') return;
  const attributes = ['RawMessageDelivery', 'FilterPolicy', 'FilterPolicyScope'].flatMap((key) => {
    const value = properties[key];
    if (value === undefined) return [];
    return [[key, typeof value === 'object' ? JSON.stringify(value) : String(value)]];
  });
  const entries = attributes.flatMap(([key, value], index) => [
    [`Attributes.entry.${index + 1}.key`, key],
    [`Attributes.entry.${index + 1}.value`, value],
  ]);
  await fauxqs.sns('Subscribe', {
    TopicArn: String(TopicArn),
    Protocol,
    Endpoint: String(Endpoint),
    ...Object.fromEntries(entries),
  });
}
