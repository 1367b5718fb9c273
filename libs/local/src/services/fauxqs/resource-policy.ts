import { compilePolicy } from '@millrace/iam-policy';
import type { Fauxqs } from './fauxqs.ts';

/**
 * Gives topics their policy as the CloudFormation properties say. It takes the place of the one they have.
 * @throws PolicyError for a policy that cannot be evaluated
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topicpolicy.html
 */
export async function createTopicPolicy(fauxqs: Fauxqs, properties: Readonly<Record<string, unknown>>): Promise<void> {
  const AttributeValue = policyText(properties);
  for (const TopicArn of list(properties.Topics)) {
    await fauxqs.sns('SetTopicAttributes', { TopicArn: String(TopicArn), AttributeName: 'Policy', AttributeValue });
  }
}

function policyText({ PolicyDocument }: Readonly<Record<string, unknown>>): string {
  compilePolicy(PolicyDocument, 'resource-based', 'Properties.PolicyDocument');
  return typeof PolicyDocument === 'string' ? PolicyDocument : JSON.stringify(PolicyDocument);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
