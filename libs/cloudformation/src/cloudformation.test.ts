import { describe, expect, test } from '@jest/globals';
import {
  type Attribute,
  arnOf,
  type CloudFormationTemplate,
  loadStacks,
  type ResourceType,
  type Stack,
  stableUuid,
} from './index.ts';

const queueUrl: Attribute = ({ awsUrl, accountId, name }) => `${awsUrl}/${accountId}/${name}`;
const topicArn = arnOf('sns', ({ name }) => name);

const resourceTypes: Record<string, ResourceType> = {
  'AWS::SQS::Queue': {
    nameProperty: 'QueueName',
    ref: queueUrl,
    attributes: { Arn: arnOf('sqs', ({ name }) => name), QueueName: ({ name }) => name, QueueUrl: queueUrl },
  },
  'AWS::DynamoDB::Table': {
    nameProperty: 'TableName',
    attributes: { Arn: arnOf('dynamodb', ({ name }) => `table/${name}`) },
    attributesAfterCreation: { StreamArn: arnOf('dynamodb', ({ name }) => `table/${name}/stream/not-created-yet`) },
  },
  'AWS::SNS::Topic': { nameProperty: 'TopicName', ref: topicArn, attributes: { TopicArn: topicArn } },
  'AWS::SSM::Parameter': { nameProperty: 'Name', attributes: {} },
  'AWS::Lambda::EventSourceMapping': { ref: stableUuid, attributes: { Id: stableUuid } },
  'AWS::Events::EventBus': { nameProperty: 'Name', attributes: {} },
};

const place = { accountId: '000000000000', region: 'us-east-1', awsUrl: 'http://127.0.0.1:4566', resourceTypes };

function load(templates: Record<string, CloudFormationTemplate>) {
  return loadStacks(
    Object.entries(templates).map(([stackName, template]) => ({ stackName, template })),
    place,
  );
}

function stackOf(template: CloudFormationTemplate): Stack {
  const [stack] = load({ shop: template }).stacks;
  if (!stack) throw new Error('no stack');
  return stack;
}

/** Resolves one value in a stack that has a queue, a table, a topic, a parameter, a mapping and two conditions. */
function resolve(value: unknown): unknown {
  const template = {
    Parameters: {
      Stage: { Type: 'String', Default: 'dev' },
      Size: { Type: 'Number', Default: 3 },
      Zones: { Type: 'CommaDelimitedList', Default: 'a, b' },
      Region: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/shop/region' },
    },
    Mappings: { Sizes: { dev: { queue: 5 } } },
    Conditions: {
      IsDev: { 'Fn::Equals': [{ Ref: 'Stage' }, 'dev'] },
      IsProd: { 'Fn::Not': [{ Condition: 'IsDev' }] },
    },
    Resources: {
      Setting: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/shop/region', Type: 'String', Value: 'eu' } },
      Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::Sub': `orders-\${Stage}` } } },
      Table: { Type: 'AWS::DynamoDB::Table' },
      Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'alarms' } },
      OnlyInProd: { Type: 'AWS::SQS::Queue', Condition: 'IsProd' },
      Subject: { Type: 'Custom::Subject', Properties: { Value: value } },
    },
  } as unknown as CloudFormationTemplate;
  return stackOf(template).properties('Subject').Value;
}

describe('intrinsic functions', () => {
  test.each<[string, unknown, unknown]>([
    ['a literal', 'x', 'x'],
    ['nested JSON', { a: [1, true, null, { b: 'c' }] }, { a: [1, true, null, { b: 'c' }] }],
    ['Ref of a parameter', { Ref: 'Stage' }, 'dev'],
    ['Ref of a number parameter', { Ref: 'Size' }, '3'],
    ['Ref of a list parameter', { Ref: 'Zones' }, ['a', 'b']],
    ['Ref of an SSM-backed parameter', { Ref: 'Region' }, 'eu'],
    ['Ref of a queue is its URL', { Ref: 'Queue' }, 'http://127.0.0.1:4566/000000000000/orders-dev'],
    ['Ref of a topic is its ARN', { Ref: 'Topic' }, 'arn:aws:sns:us-east-1:000000000000:alarms'],
    [
      'pseudo parameters',
      { 'Fn::Sub': `\${AWS::Partition}/\${AWS::Region}/\${AWS::AccountId}/\${AWS::StackName}` },
      'aws/us-east-1/000000000000/shop',
    ],
    ['Fn::GetAtt as a list', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:aws:sqs:us-east-1:000000000000:orders-dev'],
    ['Fn::GetAtt as a string', { 'Fn::GetAtt': 'Queue.QueueName' }, 'orders-dev'],
    ['Fn::Sub with an attribute', { 'Fn::Sub': `<\${Queue.Arn}>` }, '<arn:aws:sqs:us-east-1:000000000000:orders-dev>'],
    ['Fn::Sub with a literal', { 'Fn::Sub': `\${!Literal} \${Stage}` }, `\${Literal} dev`],
    ['Fn::Sub with variables', { 'Fn::Sub': [`\${A}-\${Stage}`, { A: { Ref: 'Size' } }] }, '3-dev'],
    ['Fn::Join', { 'Fn::Join': [':', ['a', { Ref: 'Stage' }, 1]] }, 'a:dev:1'],
    ['Fn::Join leaves out AWS::NoValue', { 'Fn::Join': [',', ['a', { Ref: 'AWS::NoValue' }, 'b']] }, 'a,b'],
    [
      'Fn::Split and Fn::Select',
      { 'Fn::Select': ['1', { 'Fn::Split': ['-', { 'Fn::GetAtt': 'Queue.QueueName' }] }] },
      'dev',
    ],
    ['Fn::FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'Stage' }, 'queue'] }, 5],
    ['Fn::If taken', { 'Fn::If': ['IsDev', 'yes', { Ref: 'Nothing' }] }, 'yes'],
    ['Fn::If not taken', { 'Fn::If': ['IsProd', { 'Fn::ImportValue': 'nothing' }, 'no'] }, 'no'],
    ['Fn::If with AWS::NoValue in a map', { a: 1, b: { 'Fn::If': ['IsProd', 2, { Ref: 'AWS::NoValue' }] } }, { a: 1 }],
    ['Fn::If with AWS::NoValue in a list', [1, { 'Fn::If': ['IsProd', 2, { Ref: 'AWS::NoValue' }] }], [1]],
    ['Fn::Base64', { 'Fn::Base64': 'abc' }, 'YWJj'],
    ['Fn::Length', { 'Fn::Length': { Ref: 'Zones' } }, 2],
    ['Fn::ToJsonString', { 'Fn::ToJsonString': { stage: { Ref: 'Stage' } } }, '{"stage":"dev"}'],
    ['a dynamic reference', 'in {{resolve:ssm:/shop/region}} and {{resolve:ssm:/shop/region:1}}', 'in eu and eu'],
    ['a key that merely looks like Ref', { Ref: 'Stage', Other: 1 }, { Ref: 'Stage', Other: 1 }],
  ])('%s', (_name, value, expected) => {
    expect(resolve(value)).toEqual(expected);
  });

  test.each<[string, unknown, string]>([
    ['an unknown Ref', { a: [{ Ref: 'Nothing' }] }, 'Value.a[0]: there is no resource or parameter "Nothing"'],
    ['an unknown resource', { 'Fn::GetAtt': ['Nothing', 'Arn'] }, 'there is no resource or parameter "Nothing"'],
    [
      'an unknown attribute',
      { 'Fn::GetAtt': 'Queue.Size' },
      'AWS::SQS::Queue "Queue" has no attribute Size (known: Arn, QueueName, QueueUrl)',
    ],
    [
      'a resource that is not created',
      { Ref: 'OnlyInProd' },
      '"OnlyInProd" is not created: its condition IsProd is false',
    ],
    [
      'an unknown name in Fn::Sub',
      { 'Fn::Sub': `\${Nothing}` },
      'Value.Fn::Sub: there is no resource or parameter "Nothing"',
    ],
    ['a missing export', { 'Fn::ImportValue': 'bus' }, 'Value.Fn::ImportValue: no stack exports "bus"'],
    ['a missing map entry', { 'Fn::FindInMap': ['Sizes', 'prod', 'queue'] }, 'Mappings has no Sizes.prod.queue'],
    ['an unknown condition', { 'Fn::If': ['Maybe', 1, 2] }, 'there is no condition "Maybe"'],
    ['an unknown pseudo parameter', { Ref: 'AWS::Nothing' }, 'AWS::Nothing is not a pseudo parameter'],
    ['an unsupported function', { 'Fn::Cidr': ['10.0.0.0/8', 1, 8] }, 'the function Fn::Cidr is not supported'],
    ['a wrong argument', { 'Fn::Join': 'a' }, 'Value.Fn::Join: needs a list of 2'],
    ['an index out of range', { 'Fn::Select': [4, ['a']] }, 'there is no item 4 among 1'],
    ['a missing SSM parameter', '{{resolve:ssm:/nothing}}', 'no stack declares the SSM parameter "/nothing"'],
    ['a secret', '{{resolve:secretsmanager:db}}', '{{resolve:secretsmanager:…}} is not supported'],
  ])('%s is an error that names its place', (_name, value, message) => {
    const attempt = () => resolve(value);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow('Stack shop, Resources.Subject.Properties.Value');
  });
});

describe('conditions', () => {
  test('combine with Fn::And, Fn::Or and Fn::Not and decide which resources there are', () => {
    const stack = stackOf({
      Parameters: { Stage: { Type: 'String', Default: 'dev' } },
      Conditions: {
        Dev: { 'Fn::Equals': [{ Ref: 'Stage' }, 'dev'] },
        Never: { 'Fn::And': [{ Condition: 'Dev' }, { 'Fn::Equals': ['a', 'b'] }] },
        Always: { 'Fn::Or': [{ Condition: 'Never' }, { 'Fn::Not': [{ Condition: 'Never' }] }] },
      },
      Resources: {
        A: { Type: 'AWS::SQS::Queue', Condition: 'Never' },
        B: { Type: 'AWS::SQS::Queue', Condition: 'Always' },
        C: { Type: 'AWS::SQS::Queue', Condition: 'Dev', DependsOn: 'A' },
      },
      Outputs: { Gone: { Condition: 'Never', Value: { Ref: 'A' } }, There: { Value: { 'Fn::GetAtt': ['B', 'Arn'] } } },
    });
    expect(stack.resources().map(({ logicalId }) => logicalId)).toEqual(['B', 'C']);
    expect(Object.keys(stack.outputs())).toEqual(['There']);
  });

  test('that lead back to themselves are an error', () => {
    const template = {
      Conditions: { A: { Condition: 'A' } },
      Resources: { Q: { Type: 'AWS::SQS::Queue', Condition: 'A' } },
    };
    expect(() => stackOf(template)).toThrow('Conditions.A: condition A refers to itself');
  });
});

describe('resources', () => {
  test('stand behind what they refer to and what they depend on', () => {
    const stack = stackOf({
      Resources: {
        Mapping: {
          Type: 'AWS::Lambda::EventSourceMapping',
          Properties: { EventSourceArn: { 'Fn::GetAtt': ['Queue', 'Arn'] }, FunctionName: { Ref: 'Function' } },
        },
        Function: { Type: 'AWS::Lambda::Function', DependsOn: ['Logs'] },
        Logs: { Type: 'AWS::Logs::LogGroup' },
        Queue: {
          Type: 'AWS::SQS::Queue',
          Properties: { RedrivePolicy: { deadLetterTargetArn: { 'Fn::Sub': `\${Dlq.Arn}` }, maxReceiveCount: 3 } },
        },
        Dlq: { Type: 'AWS::SQS::Queue' },
      },
    });
    expect(stack.resources().map(({ logicalId }) => logicalId)).toEqual([
      'Dlq',
      'Queue',
      'Logs',
      'Function',
      'Mapping',
    ]);
  });

  test('that refer to each other are an error that names them', () => {
    const queueFor = (other: string) => ({
      Type: 'AWS::SQS::Queue',
      Properties: { RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [other, 'Arn'] } } },
    });
    expect(() => stackOf({ Resources: { A: queueFor('B'), B: queueFor('A') } })).toThrow(
      'Stack shop, Resources: circular dependency: A → B → A',
    );
  });

  test('a name that needs itself is an error, not an endless loop', () => {
    const Queue = { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::GetAtt': ['Queue', 'QueueName'] } } };
    expect(() => stackOf({ Resources: { Queue } })).toThrow('circular dependency: Queue → Queue');
  });

  test('an unknown name in DependsOn is an error', () => {
    expect(() => stackOf({ Resources: { A: { Type: 'AWS::SQS::Queue', DependsOn: 'B' } } })).toThrow(
      'Resources.A.DependsOn: there is no resource "B"',
    );
  });

  test('without a name get one that is the same on every start and different for every logical id', () => {
    const names = () =>
      stackOf({ Resources: { A: { Type: 'AWS::DynamoDB::Table' }, B: { Type: 'AWS::DynamoDB::Table' } } })
        .resources()
        .map(({ name }) => name);
    const [a, b] = names();
    expect(names()).toEqual([a, b]);
    expect(a).toMatch(/^shop-A-[0-9A-F]{12}$/);
    expect(b).not.toBe(a);
  });

  test('of an unknown type are there, marked as unknown, and can be referred to', () => {
    const stack = stackOf({
      Resources: { Pool: { Type: 'AWS::Cognito::UserPool' } },
      Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Pool', 'Arn'] } } },
    });
    expect(stack.resources()).toMatchObject([{ logicalId: 'Pool', definition: undefined }]);
    expect(stack.outputs().Arn).toMatch(/^arn:aws:cognito:us-east-1:000000000000:shop-Pool-/);
  });

  test('an attribute that exists only after creation is asked for after it is set', () => {
    const stack = stackOf({
      Resources: {
        Table: { Type: 'AWS::DynamoDB::Table', Properties: { TableName: 't' } },
        Mapping: {
          Type: 'AWS::Lambda::EventSourceMapping',
          Properties: { EventSourceArn: { 'Fn::GetAtt': ['Table', 'StreamArn'] } },
        },
      },
    });
    expect(() => stack.properties('Mapping')).toThrow('Table.StreamArn is not known');
    stack.setAttribute('Table', 'StreamArn', 'arn:stream');
    expect(stack.properties('Mapping')).toEqual({ EventSourceArn: 'arn:stream' });
  });
});

describe('stacks', () => {
  const exporter = {
    Resources: { Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'bus-dev' } } },
    Outputs: { BusName: { Value: { Ref: 'Bus' }, Export: { Name: { 'Fn::Sub': `\${AWS::StackName}:BusName` } } } },
  };
  const importer = {
    Resources: {
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: { EventBusName: { 'Fn::ImportValue': { 'Fn::Sub': 'bus:BusName' } } },
      },
    },
  };

  test('are ordered by their imports and read each other’s exports', () => {
    const { stacks } = load({ orders: importer, bus: exporter });
    expect(stacks.map(({ name }) => name)).toEqual(['bus', 'orders']);
    expect(stacks[1]?.properties('Rule')).toEqual({ EventBusName: 'bus-dev' });
  });

  test('a missing export names the stack, the resource and the export', () => {
    expect(() => load({ orders: importer })).toThrow(
      'Stack orders, Resources.Rule.Properties.EventBusName.Fn::ImportValue: no stack exports "bus:BusName"',
    );
  });

  test('that import from each other are an error that names them', () => {
    const both = (own: string, other: string) => ({
      Resources: { Q: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::ImportValue': other } } } },
      Outputs: { Out: { Value: 'v', Export: { Name: own } } },
    });
    expect(() => load({ a: both('x', 'y'), b: both('y', 'x') })).toThrow('stacks import from each other: a → b → a');
  });

  test('that export the same name are an error that names both', () => {
    const exporting = { Outputs: { Out: { Value: 'v', Export: { Name: 'x' } } } };
    expect(() => load({ a: exporting, b: exporting })).toThrow(
      'Stack b, Outputs.Out.Export: "x" is already exported by a',
    );
  });

  test('share SSM parameters', () => {
    const { stacks } = load({
      a: { Resources: { Q: { Type: 'AWS::SQS::Queue', Properties: { QueueName: '{{resolve:ssm:/name}}' } } } },
      b: {
        Resources: { P: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/name', Type: 'String', Value: 'q' } } },
      },
    });
    expect(stacks[0]?.ref('Q')).toBe('http://127.0.0.1:4566/000000000000/q');
  });

  test.each<[string, CloudFormationTemplate, string]>([
    [
      'a parameter without a default',
      { Parameters: { P: { Type: 'String' } } },
      'Stack shop, Parameters.P: has no default',
    ],
    ['a macro', { Transform: 'AWS::Serverless-2016-10-31' }, 'Stack shop, Transform: macros are not supported'],
  ])('%s is an error', (_name, template, message) => {
    expect(() => stackOf(template)).toThrow(message);
  });
});
