import { beforeEach, expect, test } from '@jest/globals';
import { arnOf, loadStacks } from '@millrace/cloudformation';
import { cloudOptions } from '../../fixtures/cloud-under-test.ts';
import { Cloud } from './cloud.ts';
import { type AwsService, apiOf } from './service.ts';

/** What was done, in order. */
let steps: string[];
let warnings: string[];
beforeEach(() => {
  steps = [];
  warnings = [];
});

type Guests = Map<string, string>;

/** A service as small as one can be that has everything. */
const greeter: AwsService<Guests> = {
  name: 'greeter',
  protocols: ['json'],
  targets: ['Greeter'],
  resourceTypes: {
    'AWS::Greeter::Guest': {
      nameProperty: 'GuestName',
      attributes: { Arn: arnOf('greeter', ({ name }) => `guest/${name}`) },
      attributesAfterCreation: { Badge: () => 'not-printed-yet' },
      properties: ['GuestName', 'Greeting'],
      create: async ({ name, properties }, guests) => {
        if (properties.Greeting === 'none') throw new Error('a guest needs a greeting');
        guests.set(name, String(properties.Greeting));
        steps.push(`create ${name}`);
        return { Badge: `badge-of-${name}` };
      },
    },
  },
  access: () => undefined,
  deliveryAction: 'greeter:Wave',
  async start() {
    const guests: Guests = new Map();
    steps.push('start greeter');
    return {
      handle: guests,
      api: apiOf('Greeter', { Greet: ({ GuestName }) => guests.get(String(GuestName)) }),
      deliver: async (arn, payload) => void steps.push(`deliver ${payload} to ${arn}`),
      isThere: (arn) => !arn.endsWith('/gone'),
      policyOf: (arn) => (/\/(closed|gone)$/.test(arn) ? undefined : OPEN),
      activate: () => void steps.push('activate greeter'),
      deactivate: () => void steps.push('deactivate greeter'),
      console: () => ({ guests: guests.size }),
      [Symbol.asyncDispose]: async () => void steps.push('end greeter'),
    };
  },
};

const OPEN = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'greeter:Wave', Resource: '*' },
});

/** Uses the other one, and cannot end. */
const doorman: AwsService<undefined> = {
  name: 'doorman',
  resourceTypes: {},
  access: () => undefined,
  async start(host) {
    const guests = host.handleOf(greeter);
    return {
      handle: undefined,
      activate: () => void steps.push(`activate doorman with ${guests.size}`),
      [Symbol.asyncDispose]: async () => {
        steps.push('end doorman');
        throw new Error('the door is stuck');
      },
    };
  },
};

const guest = (GuestName: string, rest: object = {}) => ({
  Type: 'AWS::Greeter::Guest',
  Properties: { GuestName, ...rest },
});

async function deployed(Resources: Record<string, ReturnType<typeof guest>>, services: unknown[] = [greeter]) {
  const options = cloudOptions({ warn: (line) => warnings.push(line) });
  const cloud = new Cloud(services as AwsService[], options);
  await cloud.start();
  const { resourceTypes } = cloud;
  const { stacks } = loadStacks([{ stackName: 'shop', template: { Resources } }], { ...options, resourceTypes });
  await cloud.deploy(stacks);
  return cloud;
}

test('resources are created after those they refer to, whose attributes are known then', async () => {
  const badge = { 'Fn::GetAtt': ['Ann', 'Badge'] };
  const cloud = await deployed({ Bob: guest('bob', { Greeting: badge }), Ann: guest('ann', { Greeting: 'hi' }) });
  expect(steps).toEqual(['start greeter', 'create ann', 'create bob', 'activate greeter']);
  expect(cloud.host.handleOf(greeter).get('bob')).toBe('badge-of-ann');
  expect(cloud.consoles()).toEqual({ greeter: { guests: 2 } });
});

test('what waits for the services to be active goes on when the last one is', async () => {
  const waiting: AwsService<undefined> = {
    ...doorman,
    start: async ({ whenActive }) => {
      void whenActive.then(() => steps.push('go on'));
      return { handle: undefined, [Symbol.asyncDispose]: async () => {} };
    },
  };
  await deployed({}, [waiting, greeter]);
  await Promise.resolve();
  expect(steps).toEqual(['start greeter', 'activate greeter', 'go on']);
});

test('a resource that its service refuses is an error that names it', async () => {
  await expect(deployed({ Ann: guest('ann', { Greeting: 'none' }) })).rejects.toThrow(
    'Stack shop, Resources.Ann: a guest needs a greeting',
  );
});

test('what is delivered reaches the service of the ARN, if its policy lets the sender in', async () => {
  const { host } = await deployed({});
  const sender = { service: 'events.amazonaws.com', sourceArn: 'arn:aws:events:us-east-1:000000000000:rule/r' };
  const arn = (name: string) => `arn:aws:greeter:us-east-1:000000000000:guest/${name}`;
  await host.deliver(arn('ann'), 'hello', { sender });
  expect(steps.at(-1)).toBe(`deliver hello to ${arn('ann')}`);
  await expect(host.deliver(arn('closed'), 'hello', { sender })).rejects.toMatchObject({
    code: 'NO_PERMISSIONS',
    retryable: false,
  });
  // What is not there has no policy: that it is missing is what the sender has to be told.
  await expect(host.deliver(arn('gone'), 'hello', { sender })).rejects.toMatchObject({ code: 'NO_RESOURCE' });
  await expect(host.deliver('arn:aws:other:r:0:x', 'hello', { sender })).rejects.toMatchObject({ code: 'NO_RESOURCE' });
  expect([host.isTarget(arn('ann')), host.isTarget('arn:aws:other:r:0:x')]).toEqual([true, false]);
});

test('what happens by itself stops in all services before any of them ends, also when one cannot stop', async () => {
  const stuck: AwsService<undefined> = {
    ...doorman,
    start: async () => ({
      handle: undefined,
      deactivate: () => {
        steps.push('deactivate doorman');
        throw new Error('stuck');
      },
      [Symbol.asyncDispose]: async () => void steps.push('end doorman'),
    }),
  };
  const cloud = await deployed({}, [stuck, greeter]);
  steps = [];
  await cloud[Symbol.asyncDispose]();
  expect(steps).toEqual(['deactivate doorman', 'deactivate greeter', 'end greeter', 'end doorman']);
});

test('services start in order and end in reverse, each of them also when another one cannot end', async () => {
  const cloud = await deployed({ Ann: guest('ann') }, [greeter, doorman]);
  steps = [];
  await expect(cloud[Symbol.asyncDispose]()).rejects.toThrow('the door is stuck');
  expect(steps).toEqual(['deactivate greeter', 'end doorman', 'end greeter']);
});

test('a service cannot use one that starts after it', async () => {
  await expect(deployed({}, [doorman, greeter])).rejects.toThrow('greeter has not been started');
});
