import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ListQueuesCommand } from '@aws-sdk/client-sqs';
import { expect, test } from '@jest/globals';
import { DescribeExecutionCommand } from '@millrace/aws';
import { createClients, operatorStepFunctions } from './clients.ts';

/** Calls a service whose clock goes wrong by so much. @returns by how much `now` is off, in ms, and who called */
async function call(
  skewMs: number,
  environment: NodeJS.ProcessEnv,
): Promise<{ offset: number; authorization: string }> {
  let authorization = '';
  const server = createServer((request, response) => {
    authorization = request.headers.authorization ?? '';
    response.writeHead(200, {
      'content-type': 'application/x-amz-json-1.0',
      date: new Date(Date.now() + skewMs).toUTCString(),
    });
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const clients = createClients(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, environment);
  try {
    await clients.sqs.send(new ListQueuesCommand({}));
    return { offset: clients.now().getTime() - Date.now(), authorization };
  } finally {
    clients.sqs.destroy();
    server.close();
    server.closeAllConnections();
  }
}

test('for an endpoint, region and credentials are made up unless the environment has some', async () => {
  expect((await call(0, {})).authorization).toMatch(/Credential=operator\/\d+\/us-east-1\/sqs/);
  expect((await call(0, { AWS_REGION: 'eu-west-1' })).authorization).toMatch(
    /Credential=operator\/\d+\/eu-west-1\/sqs/,
  );
});

test('the time is that of the service, when its clock and this one differ', async () => {
  expect(Math.abs((await call(0, {})).offset)).toBeLessThan(10);
  expect(Math.abs((await call(120_000, {})).offset - 120_000)).toBeLessThan(2_000);
  expect(Math.abs((await call(-120_000, {})).offset + 120_000)).toBeLessThan(2_000);
});

test('executions are asked for at the endpoint, in the name of the operator', async () => {
  let headers: Record<string, unknown> = {};
  const server = createServer((request, response) => {
    headers = request.headers;
    response.end('{"status":"RUNNING"}');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    const states = operatorStepFunctions(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(await states.send(new DescribeExecutionCommand({ executionArn: 'arn' }))).toEqual({ status: 'RUNNING' });
    expect(headers['x-amz-target']).toBe('AWSStepFunctions.DescribeExecution');
    expect(headers.authorization).toMatch(/\/states\/aws4_request/);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
