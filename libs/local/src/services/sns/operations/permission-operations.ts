import { findTopic, type SnsContext, type SnsOperation } from '../context.ts';
import { invalidParameter } from '../errors.ts';
import type { Topic } from '../store/sns-store.ts';
import { checkTopicAttribute, defaultPolicy } from '../topic-attributes.ts';

interface Policy {
  Version: string;
  Id?: string;
  Statement: { Sid?: string }[];
}

interface AddPermissionInput {
  TopicArn?: string;
  Label?: string;
  AWSAccountId?: string[];
  ActionName?: string[];
}

const actions = new Set([
  ...['Publish', 'RemovePermission', 'SetTopicAttributes', 'DeleteTopic', 'ListSubscriptionsByTopic'],
  ...['GetTopicAttributes', 'AddPermission', 'Subscribe', 'Receive'],
]);

/** https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html */
export function permissionOperations(context: SnsContext): Record<'AddPermission' | 'RemovePermission', SnsOperation> {
  const { store, accountId } = context;
  const policyOf = ({ arn, attributes }: Topic): Policy => {
    const policy = JSON.parse(attributes.Policy ?? defaultPolicy(arn, accountId)) as Policy;
    return { ...policy, Statement: [policy.Statement].flat() };
  };
  const save = (topic: Topic, policy: Policy): void => {
    const Policy = JSON.stringify(policy);
    checkTopicAttribute('Policy', Policy, topic, (reason) => invalidParameter('Policy', reason));
    store.saveTopic({ ...topic, attributes: { ...topic.attributes, Policy } });
  };
  return {
    AddPermission: ({ TopicArn, Label = '', AWSAccountId = [], ActionName = [] }: AddPermissionInput) => {
      const topic = findTopic(context, TopicArn);
      if (!/^[A-Za-z0-9_-]{1,80}$/.test(Label)) throw invalidParameter('Label');
      if (AWSAccountId.length === 0 || !AWSAccountId.every((id) => /^\d{12}$/.test(id)))
        throw invalidParameter('AWSAccountId');
      const unknown = ActionName.find((name) => name !== '*' && !actions.has(name));
      if (ActionName.length === 0 || unknown !== undefined)
        throw invalidParameter('ActionName', `Policy statement action out of service scope!`);
      const policy = policyOf(topic);
      if (policy.Statement.some(({ Sid }) => Sid === Label)) throw invalidParameter('Statement already exists');
      const statement = {
        Sid: Label,
        Effect: 'Allow',
        Principal: { AWS: AWSAccountId.map((id) => `arn:aws:iam::${id}:root`) },
        Action: ActionName.map((name) => `SNS:${name}`),
        Resource: topic.arn,
      };
      save(topic, { ...policy, Statement: [...policy.Statement, statement] });
      return {};
    },
    RemovePermission: ({ TopicArn, Label }: { TopicArn?: string; Label?: string }) => {
      const topic = findTopic(context, TopicArn);
      const policy = policyOf(topic);
      save(topic, { ...policy, Statement: policy.Statement.filter(({ Sid }) => Sid !== Label) });
      return {};
    },
  };
}
