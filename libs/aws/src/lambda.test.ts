import * as sdk from '@aws-sdk/client-lambda';
import { describe, expect, test } from '@jest/globals';
import { both, ours, theirs } from '../fixtures/recorded-clients.ts';
import {
  CheckpointDurableExecutionCommand,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  GetDurableExecutionStateCommand,
  InvokeCommand,
  ListDurableExecutionsByFunctionCommand,
  lambda,
  paginateDurableExecutionHistory,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackHeartbeatCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
} from './index.ts';
import type { HttpResponse } from './transport.ts';

const DurableExecutionArn = 'arn:aws:lambda:eu-central-1:123456789012:function:f:1/durable-execution/name 1/id';
const CallbackId = "Ab+/='()*!~=";

/** Our client, which gets these answers and the last one for ever, and what it sends. */
function ourLambda(...answers: Partial<HttpResponse>[]) {
  const { options, sent } = ours(...answers);
  return { client: lambda(options), sent };
}

/** The SDK's client, which gets this answer, and what it sends. */
function theirLambda(answer?: Partial<HttpResponse>) {
  const { options, sent } = theirs(answer);
  return { client: new sdk.LambdaClient(options), sent };
}

function parametersOf(query: Record<string, string | string[]>): string[] {
  return Object.entries(query).flatMap(([name, value]) => [value].flat().map((each) => `${name}=${each}`));
}

const bytesOf = (body: string | Uint8Array = '') =>
  body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : Buffer.from(body);

test.each([
  [
    'Invoke, asynchronous',
    both(InvokeCommand, sdk.InvokeCommand, {
      FunctionName: 'arn:aws:lambda:eu-central-1:123456789012:function:f:durable',
      InvocationType: 'Event',
      DurableExecutionName: 'order-1',
      Payload: Buffer.from('{"ä":1}'),
    }),
  ],
  [
    'Invoke, synchronous',
    both(InvokeCommand, sdk.InvokeCommand, {
      ...{ FunctionName: 'f', Qualifier: '$LATEST', LogType: 'Tail', ClientContext: 'e30=', TenantId: 't' },
      Payload: '{}',
    }),
  ],
  ['Invoke, without a payload', both(InvokeCommand, sdk.InvokeCommand, { FunctionName: 'f', Qualifier: undefined })],
  ['GetDurableExecution', both(GetDurableExecutionCommand, sdk.GetDurableExecutionCommand, { DurableExecutionArn })],
  [
    'GetDurableExecutionHistory',
    both(GetDurableExecutionHistoryCommand, sdk.GetDurableExecutionHistoryCommand, {
      ...{ DurableExecutionArn, IncludeExecutionData: false, MaxItems: 100, Marker: 'a/b+c==', ReverseOrder: true },
    }),
  ],
  [
    'ListDurableExecutionsByFunction',
    both(ListDurableExecutionsByFunctionCommand, sdk.ListDurableExecutionsByFunctionCommand, {
      ...{ FunctionName: 'f', Qualifier: '1', DurableExecutionName: 'a b', MaxItems: 0 },
      ...{ StartedAfter: new Date(1_796_000_000_123), StartedBefore: new Date(1_796_000_000_000) },
      Statuses: ['RUNNING', 'FAILED'],
    }),
  ],
  ['StopDurableExecution', both(StopDurableExecutionCommand, sdk.StopDurableExecutionCommand, { DurableExecutionArn })],
  [
    'StopDurableExecution, with an error',
    both(StopDurableExecutionCommand, sdk.StopDurableExecutionCommand, {
      ...{ DurableExecutionArn, Error: { ErrorType: 'ü', StackTrace: ['a'] } },
    }),
  ],
  [
    'SendDurableExecutionCallbackSuccess',
    both(SendDurableExecutionCallbackSuccessCommand, sdk.SendDurableExecutionCallbackSuccessCommand, {
      ...{ CallbackId, Result: new Uint8Array([0, 200, 255]) },
    }),
  ],
  [
    'SendDurableExecutionCallbackFailure',
    both(SendDurableExecutionCallbackFailureCommand, sdk.SendDurableExecutionCallbackFailureCommand, {
      ...{ CallbackId, Error: { ErrorMessage: 'Refused' } },
    }),
  ],
  [
    'SendDurableExecutionCallbackHeartbeat',
    both(SendDurableExecutionCallbackHeartbeatCommand, sdk.SendDurableExecutionCallbackHeartbeatCommand, {
      CallbackId,
    }),
  ],
  [
    'GetDurableExecutionState',
    both(GetDurableExecutionStateCommand, sdk.GetDurableExecutionStateCommand, {
      ...{ DurableExecutionArn, CheckpointToken: 'a+/=', MaxItems: 10 },
    }),
  ],
  [
    'CheckpointDurableExecution',
    both(CheckpointDurableExecutionCommand, sdk.CheckpointDurableExecutionCommand, {
      ...{ DurableExecutionArn, CheckpointToken: 'a', ClientToken: 'token' },
      Updates: [{ Id: '1', Type: 'STEP', Action: 'SUCCEED', Payload: '"ä"' }],
    }),
  ],
])("%s has the SDK's request", async (_, command) => {
  const [our, their] = [ourLambda(), theirLambda()];
  await command.our(our.client);
  await command.their(their.client);

  const [request, expected] = [our.sent[0], their.sent[0]];
  if (!request || !expected) throw new Error('nothing was sent');
  const url = new URL(request.path, 'https://lambda');
  expect(request).toMatchObject({ method: expected.method, hostname: expected.hostname });
  expect(url.pathname).toBe(expected.path);
  expect([...url.searchParams].map(([name, value]) => `${name}=${value}`).sort()).toEqual(
    parametersOf(expected.query).sort(),
  );
  expect(bytesOf(request.body)).toEqual(bytesOf(expected.body));
  const { authorization: _authorization, 'x-amz-date': _date, ...headers } = request.headers;
  const addedBySdk = /^(amz-sdk-|x-amz-user-agent|x-amz-content-sha256|x-amz-date|authorization)/;
  const sdkHeaders = Object.entries(expected.headers).filter(([name]) => !addedBySdk.test(name));
  // Of a POST without a body node:http adds the length itself.
  const length = expected.method === 'POST' ? { 'content-length': '0' } : {};
  expect({ ...headers, 'user-agent': '' }).toEqual({ ...length, ...Object.fromEntries(sdkHeaders), 'user-agent': '' });
});

describe("the output of Invoke is the SDK's", () => {
  test.each([
    ['of a function that has returned', { headers: { 'x-amz-executed-version': '3' }, body: '{"ä":1}' }],
    [
      'of a function that has failed',
      {
        headers: { 'x-amz-function-error': 'Unhandled', 'x-amz-log-result': 'bG9n' },
        body: '{"errorType":"TypeError","errorMessage":"a bug"}',
      },
    ],
    ['of an asynchronous one', { statusCode: 202, headers: { 'x-amz-durable-execution-arn': DurableExecutionArn } }],
  ])('%s', async (_, answer) => {
    const [{ client }, their] = [ourLambda({ body: '', ...answer }), theirLambda({ body: '', ...answer })];
    const { Payload, ...output } = await client.send(new InvokeCommand({ FunctionName: 'f', InvocationType: 'Event' }));
    const expected = await their.client.send(new sdk.InvokeCommand({ FunctionName: 'f' }));
    const { $metadata: _metadata, Payload: theirPayload, ...rest } = expected;
    expect(output).toEqual(rest);
    expect(Payload?.toString()).toBe(theirPayload ? theirPayload.transformToString() : undefined);
  });
});

test('an answer to a synchronous invocation may take as long as a function, and to others as long as to any request', async () => {
  const { client, sent } = ourLambda();
  await client.send(new InvokeCommand({ FunctionName: 'f' }));
  await client.send(new InvokeCommand({ FunctionName: 'f', InvocationType: 'Event' }));
  await client.send(new SendDurableExecutionCallbackHeartbeatCommand({ CallbackId }));
  expect(sent.map(({ limits }) => limits.responseMs)).toEqual([910_000, 3_000, 3_000]);
});

test('times of an answer are dates, and texts stay what they are', async () => {
  const execution = { Status: 'RUNNING', StartTimestamp: 1_796_000_000.123, InputPayload: '{"EventTimestamp":1}' };
  const { client } = ourLambda({ body: JSON.stringify(execution) });
  const described = await client.send(new GetDurableExecutionCommand({ DurableExecutionArn }));
  expect(described).toEqual({ ...execution, StartTimestamp: new Date(1_796_000_000_123) });
});

test('the history is read page by page', async () => {
  const { client, sent } = ourLambda(
    { body: '{"Events":[{"EventId":1,"EventTimestamp":1796000000}],"NextMarker":"a/b"}' },
    { body: '{"Events":[]}' },
  );
  const events = [];
  for await (const page of paginateDurableExecutionHistory(client, { DurableExecutionArn })) {
    events.push(...(page.Events ?? []));
  }
  expect(events).toEqual([{ EventId: 1, EventTimestamp: new Date(1_796_000_000_000) }]);
  expect(sent.map(({ path }) => path.split('?')[1])).toEqual([undefined, 'Marker=a%2Fb']);
});

test('a checkpoint that is sent again has the same token of the client, and another checkpoint another one', async () => {
  const { client, sent } = ourLambda({ statusCode: 500 }, { body: '{}' });
  for (let count = 0; count < 2; count += 1) {
    await client.send(new CheckpointDurableExecutionCommand({ DurableExecutionArn, CheckpointToken: 'a' }));
  }
  const tokens = sent.map(({ body }) => JSON.parse(String(body)).ClientToken);
  expect(tokens[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(tokens[1]).toBe(tokens[0]);
  expect(tokens[2]).not.toBe(tokens[0]);
});

describe("an error has the SDK's name and message", () => {
  test.each([
    [
      'by its header',
      409,
      { 'x-amzn-errortype': 'DurableExecutionAlreadyStartedException', 'x-amzn-requestid': 'request-1' },
      { Type: 'User', message: 'It was started' },
    ],
    [
      'by its header, which may name a page',
      404,
      { 'x-amzn-errortype': 'ResourceNotFoundException:http://internal.amazon.com/coral/com.amazonaws.lambda/' },
      { Type: 'User', Message: 'It is not there' },
    ],
    ['by its body', 400, {}, { __type: 'com.amazonaws.lambda#CallbackTimeoutException', message: 'Too late' }],
    ['by its code', 400, {}, { code: 'InvalidParameterValueException', message: 'No' }],
    ['of Lambda itself', 502, { 'x-amzn-errortype': 'EC2UnexpectedException' }, { Message: 'No' }],
  ])('%s', async (_, statusCode, headers, document) => {
    const answer = { statusCode, headers, body: JSON.stringify(document) };
    const input = { DurableExecutionArn };
    const expected = await theirLambda(answer)
      .client.send(new sdk.GetDurableExecutionCommand(input))
      .catch((error: unknown) => error);
    const { name, message, $fault, $metadata } = expected as sdk.LambdaServiceException;
    expect($metadata.httpStatusCode).toBe(statusCode);

    const { requestId } = $metadata;
    await expect(ourLambda(answer).client.send(new GetDurableExecutionCommand(input))).rejects.toMatchObject({
      ...{ name, message, $fault },
      $metadata: { httpStatusCode: statusCode, requestId },
    });
  });
});

test.each(['', '.', '..', undefined])(
  'a function named %p is refused, as it would be another path',
  async (FunctionName) => {
    const { client, sent } = ourLambda();
    await expect(client.send(new InvokeCommand({ FunctionName }))).rejects.toThrow('FunctionName of Invoke must name');
    expect(sent).toEqual([]);
  },
);
