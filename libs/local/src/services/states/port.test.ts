import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { type StatesCloud, startStatesCloud } from '../../../fixtures/states-cloud.ts';
import { callAwsJson } from '../../core/aws-json-client.ts';

const targets = { states: 'AWSStepFunctions', sqs: 'AmazonSQS', dynamodb: 'DynamoDB_20120810' };
const roleArn = 'arn:aws:iam::000000000000:role/states';
let cloud: StatesCloud;

beforeAll(async () => {
  cloud = await startStatesCloud();
});

afterAll(async () => {
  await cloud[Symbol.asyncDispose]();
});

const call = (service: keyof typeof targets, operation: string, input: object) =>
  callAwsJson(cloud.url, { region: 'us-east-1', service, target: `${targets[service]}.${operation}` }, input);

async function start(name: string, definition: object, input: object): Promise<string> {
  const machine = await call('states', 'CreateStateMachine', { name, roleArn, definition: JSON.stringify(definition) });
  const { stateMachineArn } = machine;
  const started = await call('states', 'StartExecution', { stateMachineArn, input: JSON.stringify(input) });
  return String(started.executionArn);
}

const ended = (executionArn: string) =>
  eventually(async () => {
    const description = await call('states', 'DescribeExecution', { executionArn });
    expect(description.status).not.toBe('RUNNING');
    return description;
  });

describe('on the AWS port, with real queues and tables', () => {
  it('a machine stores an item, asks by a queue, waits for the answer and reads the item again', async () => {
    await call('dynamodb', 'CreateTable', {
      ...{ TableName: 'orders', BillingMode: 'PAY_PER_REQUEST' },
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    });
    const { QueueUrl } = await call('sqs', 'CreateQueue', { QueueName: 'asked' });
    const key = { id: { 'S.$': '$.id' } };
    const executionArn = await start(
      'order',
      {
        StartAt: 'Store',
        States: {
          Store: {
            ...{ Type: 'Task', Resource: 'arn:aws:states:::dynamodb:putItem', ResultPath: null, Next: 'Ask' },
            Parameters: { TableName: 'orders', Item: { ...key, state: { S: 'asked' } } },
          },
          Ask: {
            ...{
              Type: 'Task',
              Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
              ResultPath: '$.answer',
              Next: 'Read',
            },
            Parameters: { 'QueueUrl.$': '$.queue', MessageBody: { 'token.$': '$$.Task.Token' } },
          },
          Read: {
            ...{ Type: 'Task', Resource: 'arn:aws:states:::aws-sdk:dynamodb:getItem', ResultPath: '$.read', End: true },
            Parameters: { TableName: 'orders', Key: key },
          },
        },
      },
      { id: '42', queue: QueueUrl },
    );
    const { Messages } = await call('sqs', 'ReceiveMessage', { QueueUrl, WaitTimeSeconds: 5 });
    const [{ Body }] = Messages as [{ Body: string }];
    await call('states', 'SendTaskSuccess', { taskToken: JSON.parse(Body).token, output: '"yes"' });
    const { status, output } = await ended(executionArn);
    expect(status).toBe('SUCCEEDED');
    expect(JSON.parse(String(output))).toEqual({
      ...{ id: '42', queue: QueueUrl, answer: 'yes' },
      read: { Item: { id: { S: '42' }, state: { S: 'asked' } } },
    });
  });

  it('a table that is not there fails a task as the SDK says it', async () => {
    const Parameters = { TableName: 'none', Key: { id: { S: '1' } } };
    const Get = { Type: 'Task', Resource: 'arn:aws:states:::dynamodb:getItem', Parameters, End: true };
    const { error, cause } = await ended(await start('missing', { StartAt: 'Get', States: { Get } }, {}));
    expect(error).toBe('DynamoDB.ResourceNotFoundException');
    expect(cause).toMatch(/\(Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ResourceNotFoundException; /);
  });

  it('a function of the test answers a task', async () => {
    const Resource = 'arn:aws:lambda:us-east-1:000000000000:function:hello';
    const { output } = await ended(
      await start('greet', { StartAt: 'T', States: { T: { Type: 'Task', Resource, End: true } } }, {}),
    );
    expect(output).toBe('{"Return":"HelloWorld"}');
  });
});
