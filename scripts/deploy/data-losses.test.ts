import { describe, expect, test } from '@jest/globals';
import { dataLosses, dataOf, type Template } from './data-losses.ts';

type Resource = NonNullable<Template['Resources']>[string];

const table: Resource = {
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    TableName: 'millrace-orders-dev',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'S' },
    ],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
  },
};
const queue: Resource = {
  Type: 'AWS::SQS::Queue',
  Properties: { QueueName: 'millrace-orders-dev-on-order-progress', VisibilityTimeout: 60 },
};
const archive: Resource = {
  Type: 'AWS::Events::Archive',
  Properties: { ArchiveName: 'millrace-dev', SourceArn: { 'Fn::GetAtt': ['EventBus', 'Arn'] }, RetentionDays: 7 },
};
const deployed: Template = { Resources: { Table: table, Queue: queue, Archive: archive } };

/** As it would be read from CloudFormation. */
function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

/** The deployed template after a change. */
function changed(change: (resources: Record<string, Resource>, template: Template) => void): Template {
  const next = copy(deployed);
  change(next.Resources ?? {}, next);
  return next;
}

const set = (id: string, properties: NonNullable<Resource['Properties']>) =>
  changed((resources) => Object.assign(resources[id]?.Properties ?? {}, properties));

describe('nothing is lost by', () => {
  test.each<[string, Template]>([
    ['no change at all', deployed],
    [
      'changes CloudFormation makes in place',
      changed((resources) => {
        Object.assign(resources.Table?.Properties ?? {}, {
          BillingMode: 'PROVISIONED',
          StreamSpecification: { StreamViewType: 'KEYS_ONLY' },
          DeletionProtectionEnabled: true,
        });
        Object.assign(resources.Queue?.Properties ?? {}, { VisibilityTimeout: 90, FifoQueue: false });
        Object.assign(resources.Archive?.Properties ?? {}, { RetentionDays: 30 });
      }),
    ],
    [
      'a new attribute, for a new index',
      set('Table', {
        AttributeDefinitions: [
          { AttributeName: 'sk', AttributeType: 'S' },
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'date', AttributeType: 'N' },
        ],
        GlobalSecondaryIndexes: [{ IndexName: 'byDate' }],
      }),
    ],
    ['new resources', changed((resources) => Object.assign(resources, { Other: copy(queue) }))],
    ['the removal of what holds nothing', { Resources: { ...deployed.Resources } }],
  ])('%s', (_, next) => {
    const withRole = { Resources: { ...deployed.Resources, Role: { Type: 'AWS::IAM::Role' } } };
    expect(dataLosses(withRole, next)).toEqual([]);
  });
});

describe('what is lost is named with its cause:', () => {
  test.each<[string, Template, object]>([
    [
      'a queue that becomes FIFO',
      set('Queue', { FifoQueue: true }),
      { resource: 'Queue', cause: 'is replaced: FifoQueue changes from false to true' },
    ],
    [
      'a queue with another name',
      set('Queue', { QueueName: 'other' }),
      {
        resource: 'Queue',
        name: 'millrace-orders-dev-on-order-progress',
        cause: 'is replaced: QueueName changes from "millrace-orders-dev-on-order-progress" to "other"',
      },
    ],
    [
      'a table with another key',
      set('Table', { KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] }),
      {
        resource: 'Table',
        type: 'AWS::DynamoDB::Table',
        name: 'millrace-orders-dev',
        cause: expect.stringMatching(/^is replaced: KeySchema changes from \[.*"pk".*\] to \[.*"id"/),
      },
    ],
    [
      'a table with a local index',
      set('Table', { LocalSecondaryIndexes: [{ IndexName: 'byDate' }] }),
      { cause: 'is replaced: LocalSecondaryIndexes changes from [] to [{"IndexName":"byDate"}]' },
    ],
    [
      'a table whose key has another type',
      set('Table', { AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'N' }] }),
      { cause: 'is replaced: AttributeDefinitions, pk changes from "S" to "N"' },
    ],
    [
      'an archive of another bus',
      set('Archive', { SourceArn: { 'Fn::GetAtt': ['OtherBus', 'Arn'] } }),
      {
        resource: 'Archive',
        cause: expect.stringMatching(/^is replaced: SourceArn changes from .*EventBus.* to .*OtherBus/),
      },
    ],
    [
      'a table that is gone',
      changed((resources) => delete resources.Table),
      { resource: 'Table', cause: 'is removed: the template has no Table any more' },
    ],
    [
      'a table with another logical id',
      changed((resources) => {
        Object.assign(resources, { Orders: resources.Table });
        delete resources.Table;
      }),
      {
        resource: 'Table',
        cause:
          'is removed: the template has no Table any more (Orders has its name: to CloudFormation that is another resource)',
      },
    ],
    [
      'a queue that becomes a topic',
      changed((resources) => Object.assign(resources, { Queue: { Type: 'AWS::SNS::Topic' } })),
      { resource: 'Queue', cause: 'is replaced: Type changes from AWS::SQS::Queue to AWS::SNS::Topic' },
    ],
    [
      'a queue whose condition does not hold any more',
      changed((resources, template) => {
        Object.assign(resources.Queue ?? {}, { Condition: 'HasMail' });
        template.Conditions = { HasMail: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'Mail' }, ''] }] } };
        template.Parameters = { Mail: { Type: 'String', Default: '' } };
      }),
      { resource: 'Queue', cause: 'is removed: its condition HasMail is false now' },
    ],
  ])('%s', (_, next, loss) => {
    expect(dataLosses(deployed, next)).toEqual([expect.objectContaining(loss)]);
  });

  test('a table that stays behind is as good as lost to its service, and is said to stay', () => {
    const kept = changed((resources) => {
      Object.assign(resources.Table ?? {}, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    });
    const [removed] = dataLosses(kept, { Resources: {} });
    expect(removed?.cause).toBe('is removed: the template has no Table any more; it stays, outside of the stack');
    const [replaced] = dataLosses(kept, set('Table', { TableName: 'other' }));
    expect(replaced?.cause).toMatch(/TableName changes .*; the old one stays, outside of the stack$/);
  });
});

test('what was never created cannot be lost', () => {
  const conditional = changed((resources, template) => {
    Object.assign(resources.Queue ?? {}, { Condition: 'HasMail' });
    template.Conditions = { HasMail: { 'Fn::Not': [{ 'Fn::Equals': ['', ''] }] } };
  });
  expect(dataLosses(conditional, { Resources: { Table: table, Archive: archive } })).toEqual([]);
});

test('a condition that only CloudFormation can evaluate counts as true', () => {
  const conditional = changed((resources, template) => {
    Object.assign(resources.Queue ?? {}, { Condition: 'InEurope' });
    template.Conditions = { InEurope: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-west-1'] } };
  });
  expect(dataLosses(conditional, { Resources: { Table: table, Archive: archive } })).toHaveLength(1);
});

test('what a stack holds, and what of it stays when the stack goes', () => {
  const template = changed((resources) => Object.assign(resources.Table ?? {}, { DeletionPolicy: 'Retain' }));
  expect(dataOf(template).map(({ name, stays }) => [name, stays])).toEqual([
    ['millrace-orders-dev', true],
    ['millrace-orders-dev-on-order-progress', false],
    ['millrace-dev', false],
  ]);
});
