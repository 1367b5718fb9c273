import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { arnOf, type CloudFormationTemplate } from '@millrace/cloudformation';
import { greeter } from '../../fixtures/greeter/index.ts';
import type { AwsService } from '../core/service.ts';
import { Usage } from '../core/usage.ts';
import { type ServiceOnPort, startServiceOnPort } from '../service-on-port.ts';
import { events } from './events/index.ts';

/*
 * A service that AWS does not have takes one folder, fixtures/greeter, and its name in a list of services. All that follows comes of
 * that: nothing else of the local cloud knows it.
 */

const arn = (guest: string) => `arn:aws:greeter:us-east-1:000000000000:guest/${guest}`;

/** Functions without code, for their roles. */
const functions: AwsService = {
  name: 'lambda',
  resourceTypes: {
    'AWS::Lambda::Function': {
      nameProperty: 'FunctionName',
      attributes: { Arn: arnOf('lambda', ({ name }) => `function:${name}`) },
    },
    'AWS::IAM::Role': {
      nameProperty: 'RoleName',
      attributes: { Arn: ({ accountId, name }) => `arn:aws:iam::${accountId}:role/${name}` },
    },
  },
  access: () => undefined,
  start: async () => ({ handle: undefined, [Symbol.asyncDispose]: async () => {} }),
};

const Policy = {
  Version: '2012-10-17',
  Statement: {
    ...{
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'greeter:Tell',
      Resource: arn('ann'),
    },
  },
};
const template: CloudFormationTemplate = {
  Resources: {
    Ann: { Type: 'AWS::Greeter::Guest', Properties: { GuestName: 'ann', Language: 'de', Policy } },
    Bob: { Type: 'AWS::Greeter::Guest', Properties: { GuestName: 'bob', Language: 'la', Hat: 'tall' } },
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: 'app',
        Policies: [
          {
            PolicyName: 'p',
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: { Effect: 'Allow', Action: 'greeter:Greet', Resource: { 'Fn::GetAtt': ['Ann', 'Arn'] } },
            },
          },
        ],
      },
    },
    App: {
      Type: 'AWS::Lambda::Function',
      Properties: { FunctionName: 'app', Role: { 'Fn::GetAtt': ['Role', 'Arn'] } },
    },
    Rule: {
      Type: 'AWS::Events::Rule',
      Properties: {
        ...{ Name: 'tell', EventPattern: { source: ['shop'] } },
        Targets: ['Ann', 'Bob'].map((guest) => ({ Id: guest, Arn: { 'Fn::GetAtt': [guest, 'Arn'] } })),
      },
    },
  },
};

const usage = new Usage();
const warnings: string[] = [];
let server: ServiceOnPort<unknown>;
beforeAll(async () => {
  server = await startServiceOnPort(greeter, {
    ...{ others: [functions, events], template, usage },
    warn: (line) => warnings.push(line),
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function call(target: string, input: object, accessKeyId = 'operator'): Promise<[number, unknown]> {
  const service = target.startsWith('Greeter') ? 'greeter' : 'events';
  const credential = `${accessKeyId}/20260301/us-east-1/${service}/aws4_request`;
  const response = await fetch(server.endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': target,
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=s`,
    },
    body: JSON.stringify(input),
  });
  return [response.status, await response.json()];
}
const greet = (GuestName: string, accessKeyId?: string) => call('Greeter_20260101.Greet', { GuestName }, accessKeyId);

describe('a service of one folder and one line', () => {
  test('answers on the port, by its signature and protocol', async () => {
    expect(await greet('ann')).toEqual([200, { Greeting: 'Guten Tag, ann' }]);
    expect(await greet('eve')).toEqual([
      400,
      expect.objectContaining({ __type: 'GuestNotFoundException', message: 'There is no guest eve' }),
    ]);
    expect(await call('Greeter_20260101.Dance', {})).toEqual([
      expect.any(Number),
      expect.objectContaining({ message: 'Greeter Dance is not available on this machine' }),
    ]);
  });

  test('is called by functions as their roles allow', async () => {
    expect(await greet('ann', 'app')).toEqual([200, { Greeting: 'Guten Tag, ann' }]);
    const [, refused] = await greet('bob', 'app');
    expect(refused).toMatchObject({ message: expect.stringContaining(`greeter:Greet on resource: ${arn('bob')}`) });
    expect(server.cloud.refusals()).toContainEqual(expect.objectContaining({ caller: 'app', resource: arn('bob') }));
  });

  test('has its calls counted', async () => {
    usage.clear();
    await greet('ann', 'app');
    expect(usage.entries()).toEqual([{ meter: 'greeter.greetings', resource: 'app', operation: '', amount: 1 }]);
  });

  test('is a target of rules, as its policies allow', async () => {
    const Entries = [{ Source: 'shop', DetailType: 'Opened', Detail: '{}' }];
    await call('AWSEvents.PutEvents', { Entries });
    const guests = server.cloud.host.handleOf(greeter);
    expect(guests.get('ann')?.messages.map((message) => JSON.parse(message).source)).toEqual(['shop']);
    expect(guests.get('bob')?.messages).toEqual([]);
    expect(warnings).toContainEqual(expect.stringMatching(/to .*guest\/bob \(NO_PERMISSIONS/));
  });

  test('shows what it has, and what differs', async () => {
    const response = await fetch(`${server.endpoint}/_local/services`);
    expect(await response.json()).toMatchObject({
      services: { greeter: { guests: ['ann', 'bob'], differences: ['AWS has no such service.'] } },
    });
  });

  test('has its resource types in templates, and warns of what it does not support', () => {
    expect(server.cloud.host.isTarget(arn('ann'))).toBe(true);
    expect(server.cloud.resourceTypes).toHaveProperty(['AWS::Greeter::Guest']);
  });
});
