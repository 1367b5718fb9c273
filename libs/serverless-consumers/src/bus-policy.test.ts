import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type PackagedService, packageServices } from '@millrace/workspace/packaging';
import { protectBuses } from './bus-policy.ts';
import type { KnownEvent } from './event-names.ts';
import type { CfnResource, Osls } from './osls.ts';

const lib = join(import.meta.dirname, '..');
const sub = (text: string) => ({ 'Fn::Sub': text });
const roles = (pattern: string) => sub(`arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/${pattern}`);

describe('the policy of a protected bus', () => {
  let bus: PackagedService;
  let statements: { Sid: string }[];
  beforeAll(async () => {
    [bus] = (await packageServices({
      directories: [join(lib, 'fixtures', 'bus')],
      stage: 'dev',
      region: 'us-east-1',
      cacheDirectory: join(lib, '.millrace', 'packages'),
    })) as [PackagedService];
    const { Policy } = bus.template.Resources?.SharedBus?.Properties ?? {};
    statements = (Policy as unknown as { Statement: { Sid: string }[] }).Statement;
  });

  test('denies the source of a service to everybody but its own roles and the re-emitter', () => {
    expect(statements.find(({ Sid }) => Sid === 'OnlyShop')).toEqual({
      Sid: 'OnlyShop',
      Effect: 'Deny',
      Principal: '*',
      Action: 'events:PutEvents',
      Resource: sub(`arn:\${AWS::Partition}:events:\${AWS::Region}:\${AWS::AccountId}:event-bus/shared-dev`),
      Condition: {
        StringEquals: { 'events:source': 'millrace.shop' },
        ArnNotLike: {
          'aws:PrincipalArn': [roles('millrace-shop-dev-*'), roles('millrace-re-emitter-dev-ReemitRole-*')],
        },
      },
    });
  });

  test('has one statement for each service of the workspace that owns events', () => {
    const ids = statements.map(({ Sid }) => Sid);
    expect(ids).toEqual(expect.arrayContaining(['OnlyFulfillment', 'OnlyInventory', 'OnlyOrders', 'OnlyPayments']));
    expect(ids).toEqual([...new Set(ids)].sort());
  });

  test('needs no settings that only functions need', () => {
    expect(bus.functions.size).toBe(0);
  });
});

describe('the policy of a protected analytics bus', () => {
  const Resource = sub(
    `arn:\${AWS::Partition}:events:\${AWS::Region}:\${AWS::AccountId}:event-bus/shared-dev-analytics`,
  );
  let statements: { Sid: string; Condition: { StringNotEquals: { 'events:source': string[] } } }[];
  beforeAll(async () => {
    const [bus] = (await packageServices({
      directories: [join(lib, 'fixtures', 'bus')],
      stage: 'dev',
      region: 'us-east-1',
      cacheDirectory: join(lib, '.millrace', 'packages'),
    })) as [PackagedService];
    const { Policy } = bus.template.Resources?.SharedAnalyticsBus?.Properties ?? {};
    statements = (Policy as unknown as { Statement: typeof statements }).Statement;
  });

  test('denies the source of a service to everybody but its relay: the re-emitter has no business there', () => {
    expect(statements.find(({ Sid }) => Sid === 'OnlyShop')).toEqual({
      Sid: 'OnlyShop',
      Effect: 'Deny',
      Principal: '*',
      Action: 'events:PutEvents',
      Resource,
      Condition: {
        StringEquals: { 'events:source': 'millrace.shop' },
        ArnNotLike: { 'aws:PrincipalArn': [roles('millrace-shop-dev-RelayRole-*')] },
      },
    });
  });

  test('denies every source without variants to everybody', () => {
    const others = statements.filter(({ Sid }) => Sid === 'OnlyVariants');
    expect(others).toEqual([
      {
        Sid: 'OnlyVariants',
        Effect: 'Deny',
        Principal: '*',
        Action: 'events:PutEvents',
        Resource,
        Condition: {
          StringNotEquals: { 'events:source': expect.arrayContaining(['millrace.orders', 'millrace.shop']) },
        },
      },
    ]);
    expect(others[0]?.Condition.StringNotEquals['events:source']).not.toContain('millrace.warehouse');
  });
});

describe('a bus that cannot be protected fails the build', () => {
  const known = (count: number) =>
    new Map(
      Array.from({ length: count }, (_, index): [string, KnownEvent] => {
        const service = `service-${index}`;
        const detailType = `E${index}.v1`;
        return [detailType, { detailType, source: `millrace.${service}`, service, accepts: [detailType] }];
      }),
    );
  const sharedBus = (properties: object = {}): CfnResource => ({
    Type: 'AWS::Events::EventBus',
    Properties: { Name: 'shared-dev', ...properties },
  });
  const serviceWith = (Resources: Record<string, CfnResource>) =>
    ({
      service: { custom: { consumers: { protectedBus: 'SharedBus' } }, resources: { Resources } },
      getProvider: () => ({ getStage: () => 'dev' }),
    }) as unknown as Osls;

  test.each<[string, Record<string, CfnResource>, number, string, string]>([
    ['no such resource', {}, 1, 'CONSUMERS_BUS_NOT_FOUND', '"SharedBus" must be the logical id of an AWS::Events'],
    [
      'another type',
      { SharedBus: { ...sharedBus(), Type: 'AWS::SQS::Queue' } },
      1,
      'CONSUMERS_BUS_NOT_FOUND',
      'must be',
    ],
    [
      'a name that is no text',
      { SharedBus: sharedBus({ Name: { Ref: 'N' } }) },
      1,
      'CONSUMERS_BUS_NOT_FOUND',
      'literal',
    ],
    [
      'a policy of its own',
      { SharedBus: sharedBus({ Policy: {} }) },
      1,
      'CONSUMERS_BUS_POLICY',
      'has a Policy already',
    ],
    ['too many services', { SharedBus: sharedBus() }, 30, 'CONSUMERS_BUS_POLICY', 'EventBridge takes 10240'],
  ])('%s', (_what, resources, services, code, message) => {
    expect(() => protectBuses(serviceWith(resources), known(services))).toThrow(
      expect.objectContaining({
        code,
        key: 'custom.consumers.protectedBus',
        message: expect.stringContaining(message),
      }),
    );
  });

  test("a stage at which the re-emitter's role would be cut, and not recognised", () => {
    const osls = serviceWith({ SharedBus: sharedBus() });
    Object.assign(osls.service.custom?.consumers as object, { stages: ['prod', 'averyverylongstagenameindeed'] });
    expect(() => protectBuses(osls, known(1))).toThrow(
      expect.objectContaining({
        code: 'CONSUMERS_NAME_TOO_LONG',
        message: expect.stringContaining('millrace-re-emitter-averyverylongstagenameindeed-ReemitRole-'),
      }),
    );
  });

  test('seventeen services fit', () => {
    const resources = { SharedBus: sharedBus() };
    protectBuses(serviceWith(resources), known(17));
    expect(resources.SharedBus.Properties.Policy).toMatchObject({ Version: '2012-10-17' });
  });
});
