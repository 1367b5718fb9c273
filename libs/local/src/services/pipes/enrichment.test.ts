import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { arnOf, functionArn, pipeInput, pipesForEachTest } from '../../../fixtures/pipes-under-test.ts';

const { start, create, defer } = pipesForEachTest();

/** An Express state machine that may not call anything. */
const machine = (StateMachineName: string, Definition: object) => ({
  Type: 'AWS::StepFunctions::StateMachine',
  Properties: {
    ...{ StateMachineName, Definition, StateMachineType: 'EXPRESS' },
    RoleArn: 'arn:aws:iam::000000000000:role/machine',
  },
});
const machineArn = (name: string) => `arn:aws:states:us-east-1:000000000000:stateMachine:${name}`;

// https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-enrichment.html
describe('an enrichment', () => {
  it('by a function gets the batch as a list, and its answers go to the target', async () => {
    const given: unknown[] = [];
    const functions = {
      price: (records: { sku: string }[]) => {
        given.push(records);
        return records.flatMap(({ sku }) => [
          { sku, price: 1 },
          { sku, price: 2 },
        ]);
      },
    };
    const started = await create(
      {
        Enrichment: functionArn('price'),
        EnrichmentParameters: { InputTemplate: '{"sku":<$.body.sku>}' },
        TargetParameters: { InputTemplate: '{"sku":<$.sku>,"costs":"<$.price> EUR"}' },
      },
      { functions },
    );
    await started.send({ sku: 'flour' });
    expect(await started.arrived(2)).toEqual(
      expect.arrayContaining([
        { sku: 'flour', costs: '1 EUR' },
        { sku: 'flour', costs: '2 EUR' },
      ]),
    );
    expect(given).toEqual([[{ sku: 'flour' }]]);
  });

  it.each([
    ['', ''],
    ['{}', {}],
    ['[]', []],
  ])('with the empty answer %j keeps the events from the target', async (_name, answer) => {
    const started = await create({ Enrichment: functionArn('drop') }, { functions: { drop: () => answer } });
    await started.send({ a: 1 });
    await eventually(async () => expect(await started.count('in')).toBe(0));
    expect(await started.count('out')).toBe(0);
  });

  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html#pipes-partial-batch-failure
  test.each([
    ['with their ids, keeps those that failed', true, 1],
    ['without their ids, keeps all when one failed', false, 2],
  ])('whose answers come %s', async (_name, hasIds, kept) => {
    const functions = {
      number: (records: { messageId: string; body: string }[]) =>
        records.map(({ messageId, body }) => ({ ...(hasIds ? { messageId } : {}), detail: JSON.parse(body) })),
    };
    const started = await create(
      {
        ...{ Enrichment: functionArn('number'), Target: 'arn:aws:events:us-east-1:000000000000:event-bus/default' },
        // PutEvents refuses a detail that is not an object.
        ...{ TargetParameters: { InputTemplate: '<$.detail>' }, DesiredState: 'STOPPED' },
      },
      { functions },
    );
    let executions = 0;
    started.cloud.host.onMetric(({ name }) => {
      if (name.startsWith('Execution')) executions += 1;
    });
    await started.send({ good: true }, 1);
    await eventually(() => started.invoke('StartPipe', { Name: 'p' }));
    await eventually(() => expect(executions).toBe(1));
    await eventually(async () => expect(await started.count('in')).toBe(kept));
  });

  it('by an Express state machine gives its output', async () => {
    const Definition = { StartAt: 'Say', States: { Say: { Type: 'Pass', Result: [{ said: true }], End: true } } };
    const started = await create({ Enrichment: machineArn('say') }, { resources: { Say: machine('say', Definition) } });
    await started.send({ a: 1 });
    expect(await started.arrived(1)).toEqual([{ said: true }]);
  });

  it('that fails leaves the messages to the queue', async () => {
    const Definition = { StartAt: 'Stop', States: { Stop: { Type: 'Fail', Error: 'Closed' } } };
    const started = await create(
      { Enrichment: machineArn('stop') },
      { resources: { Stop: machine('stop', Definition) } },
    );
    await started.send({ a: 1 });
    await eventually(() => expect(started.warnings.join()).toContain('is FAILED: Closed'));
    expect(await started.count('in')).toBe(1);
    expect(await started.count('out')).toBe(0);
  });

  it('by an API destination gets each event, and gives the answer of the endpoint', async () => {
    const requests: unknown[] = [];
    const server = createServer(async (request, response) => {
      requests.push({ url: request.url, shop: request.headers['x-shop'], body: JSON.parse(await text(request)) });
      response.end('{"stock":3}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    defer(() => void server.close());
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/stock/*`;
    const Connection = {
      Type: 'AWS::Events::Connection',
      Properties: {
        ...{ Name: 'c', AuthorizationType: 'API_KEY' },
        AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: 'x-key', ApiKeyValue: 'k' } },
      },
    };
    const Stock = {
      Type: 'AWS::Events::ApiDestination',
      Properties: {
        ...{ Name: 'stock', ConnectionArn: arnOf('Connection') },
        ...{ InvocationEndpoint: endpoint, HttpMethod: 'POST' },
      },
    };
    const Pipe = {
      Type: 'AWS::Pipes::Pipe',
      Properties: pipeInput({
        Enrichment: arnOf('Stock'),
        EnrichmentParameters: {
          InputTemplate: '{"sku":<$.body.sku>}',
          HttpParameters: { PathParameterValues: ['$.body.sku'], HeaderParameters: { 'x-shop': 'berlin' } },
        },
      }),
    };
    const started = await start({ resources: { Connection, Stock, Pipe } });
    await started.send({ sku: 'flour' });
    expect(await started.arrived(1)).toEqual([{ stock: 3 }]);
    expect(requests).toEqual([{ url: '/stock/flour', shop: 'berlin', body: { sku: 'flour' } }]);
  });
});
