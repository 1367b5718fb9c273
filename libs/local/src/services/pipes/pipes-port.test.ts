import { expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { declaredPipe, pipeInput, pipesForEachTest, queue } from '../../../fixtures/pipes-under-test.ts';
import { localAuthorization } from '../../core/aws-json-client.ts';
import { startServiceOnPort } from '../../service-on-port.ts';
import { dynamodb } from '../dynamodb/index.ts';
import { sqs } from '../sqs/index.ts';
import { pipesAccess } from './access.ts';
import { pipes } from './index.ts';

const { start, dataDirectory } = pipesForEachTest();

// https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_Operations.html
test('the operations have the paths of the API', async () => {
  const template = { Resources: { In: queue('in'), Out: queue('out') } };
  await using server = await startServiceOnPort(pipes, { others: [sqs, dynamodb] as never, template });
  const send = async (method: string, path: string, body?: object) => {
    const headers = { authorization: localAuthorization('us-east-1', 'pipes'), 'content-type': 'application/json' };
    const answer = await fetch(`${server.endpoint}${path}`, {
      ...{ method, headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const { Name: _name, ...input } = pipeInput({ DesiredState: 'STOPPED' });
  const created = await send('POST', '/v1/pipes/p', input);
  expect(created).toMatchObject({ status: 200, body: { Name: 'p', CurrentState: 'CREATING' } });
  await eventually(async () =>
    expect(await send('GET', '/v1/pipes/p')).toMatchObject({ body: { CurrentState: 'STOPPED' } }),
  );
  expect(await send('PUT', '/v1/pipes/p', { RoleArn: input.RoleArn, Description: 'd' })).toMatchObject({ status: 200 });
  await eventually(async () => expect(await send('POST', '/v1/pipes/p/start')).toMatchObject({ status: 200 }));
  await eventually(async () => expect(await send('POST', '/v1/pipes/p/stop')).toMatchObject({ status: 200 }));
  expect(await send('GET', '/v1/pipes?NamePrefix=p&Limit=1')).toMatchObject({ body: { Pipes: [{ Name: 'p' }] } });
  const tags = `/tags/${encodeURIComponent(String(created.body.Arn))}`;
  await send('POST', tags, { tags: { a: '1', b: '2' } });
  await send('DELETE', `${tags}?tagKeys=a`);
  expect(await send('GET', tags)).toEqual({ status: 200, body: { tags: { b: '2' } } });
  expect(await send('DELETE', '/v1/pipes/p')).toMatchObject({ body: { CurrentState: 'DELETING' } });
  expect(await send('GET', '/v1/pipes/nothing')).toMatchObject({ status: 404 });
});

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgepipes.html
test('to create a pipe, a caller needs the permission to pass its role', () => {
  const arn = (service: string, resource: string) => `arn:aws:${service}:us-east-1:000000000000:${resource}`;
  const pipe = arn('pipes', 'pipe/p');
  const { RoleArn } = pipeInput();
  expect(pipesAccess('CreatePipe', pipeInput({ Tags: { a: '1' } }), arn)).toEqual([
    { action: 'pipes:CreatePipe', resource: pipe },
    { action: 'pipes:TagResource', resource: pipe },
    {
      action: 'iam:PassRole',
      resource: RoleArn,
      context: new Map([['iam:passedtoservice', ['pipes.amazonaws.com']]]),
    },
  ]);
  expect(pipesAccess('StopPipe', { Name: 'p' }, arn)).toEqual([{ action: 'pipes:StopPipe', resource: pipe }]);
  expect(pipesAccess('ListPipes', {}, arn)).toEqual([{ action: 'pipes:ListPipes', resource: '*' }]);
  expect(pipesAccess('Nothing', {}, arn)).toBeUndefined();
});

test('a pipe of the API survives a restart; a pipe that is no longer in its template is deleted', async () => {
  const options = { dataDirectory: dataDirectory() };
  const Pipe = declaredPipe({ Name: 'declared', DesiredState: 'STOPPED' });
  const first = await start({ ...options, resources: { Pipe } });
  await first.invoke('CreatePipe', pipeInput());
  await first[Symbol.asyncDispose]();
  const second = await start(options);
  await second.send({ a: 1 });
  await eventually(async () => expect(await second.count('out')).toBe(1));
  await expect(second.invoke('DescribePipe', { Name: 'declared' })).rejects.toMatchObject({
    code: 'NotFoundException',
  });
});
