import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { LambdaUnderTest } from '../../../fixtures/lambda-under-test.ts';

const arn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;

/** A queue that a rule sends to, and a function that a mapping without a batching window calls with its messages. */
function consumer(under: LambdaUnderTest, name: string): Record<string, unknown> {
  const [queue, rule] = [`${name}Queue`, `${name}Rule`];
  return {
    [queue]: { Type: 'AWS::SQS::Queue', Properties: { QueueName: name } },
    [`${name}Policy`]: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [{ Ref: queue }],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: {
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource: arn(name),
          },
        },
      },
    },
    [rule]: {
      Type: 'AWS::Events::Rule',
      Properties: { EventPattern: { source: ['shop'] }, Targets: [{ Id: 'queue', Arn: arn(name) }] },
    },
    [`${name}Function`]: under.fn(name),
    [`${name}Mapping`]: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: { EventSourceArn: arn(name), FunctionName: name, BatchSize: 10 },
    },
  };
}

/** The bodies of the records of each invocation, by function. */
function batchesOf(under: LambdaUnderTest): Record<string, string[][]> {
  const batches: Record<string, string[][]> = {};
  for (const { event, env } of under.seen()) {
    const records = event.Records as { body: string }[];
    const bodies = records.map(({ body }) => String(JSON.parse(body).detail.n));
    batches[String(env.AWS_LAMBDA_FUNCTION_NAME)] = [...(batches[String(env.AWS_LAMBDA_FUNCTION_NAME)] ?? []), bodies];
  }
  return batches;
}

test.each([false, true])(
  'all events of one PutEvents make one batch for each consumer, without a batching window (kept on disk: %s)',
  async (keepsData) => {
    await using under = new LambdaUnderTest();
    const archive = {
      Type: 'AWS::Events::Archive',
      Properties: { ArchiveName: 'all', SourceArn: 'arn:aws:events:us-east-1:000000000000:event-bus/default' },
    };
    const resources = { ...consumer(under, 'first'), ...consumer(under, 'second'), Archive: archive };
    await under.start(resources, { keepsData });
    const client = new EventBridgeClient({
      endpoint: under.cloud.host.awsUrl,
      region: 'us-east-1',
      credentials: { accessKeyId: 'operator', secretAccessKey: 'local' },
    });
    const numbers = Array.from({ length: 10 }, (_, n) => String(n));
    const Entries = numbers.map((n) => ({ Source: 'shop', DetailType: 'Counted.v1', Detail: JSON.stringify({ n }) }));
    await client.send(new PutEventsCommand({ Entries }));
    client.destroy();
    await eventually(() => expect(batchesOf(under)).toEqual({ first: [numbers], second: [numbers] }), {
      deadlineMs: 20_000,
    });
  },
);
