import {
  CreateAliasCommand,
  CreateEventSourceMappingCommand,
  DeleteAliasCommand,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  ListAliasesCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { arn, LambdaUnderTest, queue } from '../../../fixtures/lambda-under-test.ts';

const FunctionName = 'relay';
const ARN = arn('lambda', 'function:relay');

let under: LambdaUnderTest;
beforeEach(() => {
  under = new LambdaUnderTest();
});
afterEach(() => under[Symbol.asyncDispose]());

const publish = (input = {}) => under.client.send(new PublishVersionCommand({ FunctionName, ...input }));
const remember = (MODE: string) =>
  under.client.send(
    new UpdateFunctionConfigurationCommand({
      FunctionName,
      Environment: { Variables: { MODE, SEEN: `${under.directory}/seen` } },
    }),
  );
const invoke = (Qualifier?: string) => under.client.send(new InvokeCommand({ FunctionName, Qualifier }));
const versions = async () => {
  const { Versions } = await under.client.send(new ListVersionsByFunctionCommand({ FunctionName }));
  return Versions?.map(({ Version }) => Version);
};

test('a version keeps the configuration that it was published with', async () => {
  await under.start({ Relay: under.fn('relay') });
  await remember('old');
  expect(await publish({ Description: 'first' })).toMatchObject({
    $metadata: { httpStatusCode: 201 },
    Version: '1',
    FunctionArn: `${ARN}:1`,
    Description: 'first',
  });
  expect(await publish()).toMatchObject({ Version: '1', Description: 'first' });
  await remember('new');
  expect(await publish()).toMatchObject({ Version: '2' });
  expect(await versions()).toEqual(['$LATEST', '1', '2']);
  expect(await invoke('1')).toMatchObject({ ExecutedVersion: '1' });
  expect(await invoke()).toMatchObject({ ExecutedVersion: '$LATEST' });
  expect(under.seen()).toMatchObject([
    {
      env: { MODE: 'old', AWS_LAMBDA_FUNCTION_VERSION: '1' },
      context: {
        functionVersion: '1',
        invokedFunctionArn: `${ARN}:1`,
        logStreamName: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[1\]/),
      },
    },
    { env: { MODE: 'new' }, context: { functionVersion: '$LATEST', invokedFunctionArn: ARN } },
  ]);
  await expect(publish({ CodeSha256: 'other' })).rejects.toThrow('is different from current CodeSHA256 in $LATEST');
  await expect(publish({ RevisionId: 'other' })).rejects.toMatchObject({ name: 'PreconditionFailedException' });
  await expect(invoke('7')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('an alias leads to a version, from Invoke, from a mapping and from asynchronous events', async () => {
  await under.start({ Relay: under.fn('relay'), Orders: queue('orders'), Done: queue('done') });
  await publish();
  await remember('new');
  await publish();
  const alias = { FunctionName, Name: 'live' };
  const AliasArn = `${ARN}:live`;
  expect(await under.client.send(new CreateAliasCommand({ ...alias, FunctionVersion: '1' }))).toMatchObject({
    AliasArn,
    FunctionVersion: '1',
  });
  await expect(under.client.send(new CreateAliasCommand({ ...alias, FunctionVersion: '1' }))).rejects.toMatchObject({
    name: 'ResourceConflictException',
  });
  expect(await invoke('live')).toMatchObject({ ExecutedVersion: '1' });
  await under.client.send(new UpdateAliasCommand({ ...alias, FunctionVersion: '2' }));
  expect(await invoke('live')).toMatchObject({ ExecutedVersion: '2' });
  expect(await under.client.send(new GetFunctionConfigurationCommand({ FunctionName: AliasArn }))).toMatchObject({
    FunctionArn: AliasArn,
    Version: '2',
  });

  await under.client.send(
    new CreateEventSourceMappingCommand({ FunctionName: AliasArn, EventSourceArn: arn('sqs', 'orders') }),
  );
  const QueueUrl = `${under.cloud.host.awsUrl}/000000000000/orders`;
  await under.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
  await eventually(() => expect(under.seen()[2]?.context).toMatchObject({ invokedFunctionArn: AliasArn }));

  await under.client.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName,
      Qualifier: 'live',
      DestinationConfig: { OnSuccess: { Destination: arn('sqs', 'done') } },
    }),
  );
  await under.client.send(new InvokeCommand({ FunctionName: AliasArn, InvocationType: 'Event' }));
  await eventually(async () =>
    expect(await under.messages('done')).toMatchObject([
      { body: { requestContext: { functionArn: AliasArn }, responseContext: { executedVersion: '2' } } },
    ]),
  );
  await under.client.send(new DeleteAliasCommand(alias));
  await expect(under.client.send(new GetAliasCommand(alias))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

test.each([
  [{ Name: '12', FunctionVersion: '$LATEST' }, "'12' at 'name'"],
  [{ Name: 'live', FunctionVersion: '9' }, 'Function not found'],
  [
    { Name: 'live', FunctionVersion: '$LATEST', RoutingConfig: { AdditionalVersionWeights: { '1': 0.5 } } },
    '$LATEST is not supported for an alias pointing to more than 1 version',
  ],
])('the alias %j is refused', async (input, message) => {
  await under.start({ Relay: under.fn('relay') });
  await publish();
  await expect(under.client.send(new CreateAliasCommand({ FunctionName, ...input }))).rejects.toThrow(message);
});

test('an alias sends a part of the calls to another version', async () => {
  await under.start({ Relay: under.fn('relay') });
  await publish();
  await remember('new');
  await publish();
  const RoutingConfig = { AdditionalVersionWeights: { '2': 1 } };
  await under.client.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1', RoutingConfig }));
  expect(await invoke('live')).toMatchObject({ ExecutedVersion: '2' });
});

test('versions and aliases outlive the process with a data directory', async () => {
  const resources = { Relay: under.fn('relay') };
  await under.start(resources, { keepsData: true });
  await remember('old');
  await publish();
  await under.client.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }));
  await under.stop();
  await under.start(resources, { keepsData: true });
  expect(await versions()).toEqual(['$LATEST', '1']);
  expect(await invoke('live')).toMatchObject({ ExecutedVersion: '1' });
  expect(under.seen()[0]?.env.MODE).toBe('old');
});

test('templates declare versions and aliases', async () => {
  await under.start({
    Relay: under.fn('relay'),
    Version: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'Relay' } } },
    Alias: {
      Type: 'AWS::Lambda::Alias',
      Properties: {
        FunctionName: { Ref: 'Relay' },
        FunctionVersion: { 'Fn::GetAtt': ['Version', 'Version'] },
        Name: 'live',
      },
    },
  });
  expect(await versions()).toEqual(['$LATEST', '1']);
  const { Aliases } = await under.client.send(new ListAliasesCommand({ FunctionName, FunctionVersion: '1' }));
  expect(Aliases).toMatchObject([{ Name: 'live', AliasArn: `${ARN}:live` }]);
  expect(await invoke('live')).toMatchObject({ ExecutedVersion: '1' });
  expect(under.warnings).toEqual([]);
});
