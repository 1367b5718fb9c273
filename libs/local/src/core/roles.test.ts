import { Readable } from 'node:stream';
import { beforeEach, expect, test } from '@jest/globals';
import { type CloudFormationTemplate, loadStacks } from '@millrace/cloudformation';
import { cloudOptions } from '../../fixtures/cloud-under-test.ts';
import { inertResourceTypes } from '../services/inert-types.ts';
import { ManualClock } from './clock.ts';
import { Cloud } from './cloud.ts';
import { HttpAnswer } from './http-message.ts';
import type { AwsService } from './service.ts';

const roleArn = (name: string) => `arn:aws:iam::000000000000:role/${name}`;
const sourceArn = 'arn:aws:scheduler:us-east-1:000000000000:schedule/default/nightly';
const user = 'arn:aws:iam::000000000000:user/ada';

const role = (RoleName: string, trust: object, action: string) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName,
    AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [{ Action: 'sts:AssumeRole', ...trust }] },
    Policies: [
      {
        PolicyName: 'p',
        PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }] },
      },
    ],
  },
});

const scheduler = { Service: 'scheduler.amazonaws.com' };
const template: CloudFormationTemplate = {
  Resources: {
    Waver: role('waver', { Effect: 'Allow', Principal: scheduler }, 'greeter:Wave'),
    OfGroup: role(
      'of-group',
      { Effect: 'Allow', Principal: scheduler, Condition: { StringEquals: { 'aws:SourceArn': 'the-group' } } },
      'greeter:Wave',
    ),
    OfAccount: role(
      'of-account',
      { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:root' } },
      'greeter:Wave',
    ),
    OfAda: role('of-ada', { Effect: 'Allow', Principal: { AWS: user } }, 'greeter:Wave'),
    Untrusting: role('untrusting', { Effect: 'Deny', Principal: '*' }, 'greeter:Wave'),
  } as never,
};

/** Answers in each way that a service may. */
const greeter: AwsService<undefined> = {
  name: 'greeter',
  protocols: ['json'],
  targets: ['Greeter'],
  resourceTypes: {},
  access: (operation) => [{ action: `greeter:${operation}`, resource: '*' }],
  start: async () => ({
    handle: undefined,
    api: ({ input, request, caller }) => {
      const { how } = input as { how?: string };
      if (how === undefined) return { by: caller.arn };
      const error = '{"__type":"Shy","message":"hides"}';
      const body = { echo: request.body, text: error, stream: Readable.from([error]) }[how] ?? '';
      return new HttpAnswer(how === 'echo' ? 200 : 400, {}, body);
    },
    [Symbol.asyncDispose]: async () => {},
  }),
};

let clock: ManualClock;
let cloud: Cloud;
beforeEach(async () => {
  clock = new ManualClock(0);
  const options = cloudOptions({ clock });
  cloud = new Cloud([greeter] as AwsService[], options, inertResourceTypes);
  await cloud.start();
  const { resourceTypes } = cloud;
  await cloud.deploy(loadStacks([{ stackName: 'shop', template }], { ...options, resourceTypes }).stacks);
});

const call = (operation: string, name: string, input = {}) =>
  cloud.host.call({ service: 'greeter', operation, input, roleArn: roleArn(name), sourceArn });

test('a service calls another with the permissions of a role', async () => {
  expect(await call('Wave', 'waver')).toEqual({ by: 'arn:aws:sts::000000000000:assumed-role/waver/scheduler' });
  await expect(call('Bow', 'waver')).rejects.toMatchObject({
    code: 'AccessDeniedException',
    message: expect.stringContaining('is not authorized to perform: greeter:Bow'),
  });
  await expect(call('Wave', 'of-ada')).rejects.toMatchObject({
    code: 'AccessDeniedException',
    message: `The role ${roleArn('of-ada')} does not let scheduler.amazonaws.com assume it`,
  });
  await expect(
    cloud.host.call({ service: 'ec2', operation: 'X', input: {}, roleArn: user, sourceArn }),
  ).rejects.toThrow('ec2 is not available on this machine');
});

test('a service that answers in HTTP is read as one that gives documents', async () => {
  expect(await call('Wave', 'waver', { how: 'echo' })).toEqual({ how: 'echo' });
  for (const how of ['text', 'stream']) {
    await expect(call('Wave', 'waver', { how })).rejects.toMatchObject({ code: 'Shy', message: 'hides', status: 400 });
  }
});

test.each([
  ['waver', 'scheduler.amazonaws.com', sourceArn, true],
  ['waver', 'events.amazonaws.com', sourceArn, false],
  ['waver', user, user, false],
  ['of-group', 'scheduler.amazonaws.com', 'the-group', true],
  ['of-group', 'scheduler.amazonaws.com', 'another-group', false],
  ['of-account', user, user, true],
  ['of-ada', user, user, true],
  ['of-ada', 'arn:aws:iam::000000000000:user/eve', 'arn:aws:iam::000000000000:user/eve', false],
  ['untrusting', 'scheduler.amazonaws.com', sourceArn, false],
  ['of-no-template', 'scheduler.amazonaws.com', sourceArn, true],
])('the role %s and the principal %s for %s: %s', (name, principal, source, expected) => {
  expect(cloud.host.mayAssume(roleArn(name), principal, source)).toBe(expected);
});

test('a session has the permissions of its role until it expires', async () => {
  const session = { roleArn: roleArn('of-ada'), name: 'audit', expiresAt: 900_000 };
  const accessKeyId = cloud.host.addSession(session);
  expect(accessKeyId).toMatch(/^ASIA[0-9A-F]{16}$/);
  const ask = (operation: string, keyId = accessKeyId) =>
    cloud.authorizer.authorize(keyId, { service: 'greeter', operation, input: {} });
  ask('Wave');
  expect(() => ask('Bow')).toThrow('arn:aws:sts::000000000000:assumed-role/of-ada/audit is not authorized');
  await clock.advance(900_000);
  expect(() => ask('Wave')).toThrow('The security token included in the request is expired');
  expect(() => ask('Wave', 'ASIA0FEDCBA987654321')).toThrow('The security token included in the request is expired');
  expect(cloud.host.addSession({ ...session, roleArn: roleArn('of-no-template') })).toBeUndefined();
});
