import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { compileTemplates } from '@millrace/workspace/packaging';
import { encryptResources } from './encryption.ts';
import type { CfnResource, Osls } from './osls.ts';

const root = join(import.meta.dirname, '..', '..', '..');

async function templatesAt(stage: string) {
  const compiled = await compileTemplates({
    directories: ['event-bus', 'payments', 're-emitter', 'partner-orders'].map((name) => join(root, 'services', name)),
    stage,
    region: 'us-east-1',
    cacheDirectory: join(root, '.millrace', 'cache', 'packages'),
  });
  return compiled.map(({ template }) => template.Resources ?? {});
}

function keysOf(resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>) {
  return Object.values(resources).flatMap(({ Type, Properties = {} }) => {
    const { KmsMasterKeyId, KmsKeyId, KmsKeyArn, KmsKeyIdentifier, SSESpecification } = Properties;
    const { KMSMasterKeyId } = (SSESpecification ?? {}) as { KMSMasterKeyId?: unknown };
    const key = KmsMasterKeyId ?? KmsKeyId ?? KmsKeyArn ?? KmsKeyIdentifier ?? KMSMasterKeyId;
    return key === undefined || Type === 'AWS::SNS::Topic' ? [] : [{ Type, key }];
  });
}

describe('encryptionKey: own', () => {
  let bus: Awaited<ReturnType<typeof templatesAt>>[number] = {};
  let payments: typeof bus = {};
  let reEmitter: typeof bus = {};
  let partnerOrders: typeof bus = {};
  beforeAll(async () => {
    [bus = {}, payments = {}, reEmitter = {}, partnerOrders = {}] = await templatesAt('prod');
  });

  test('encrypts queues, tables, log groups and variables with the key that the stack of the bus exports', () => {
    const imported = { 'Fn::ImportValue': 'millrace-prod:DataKeyArn' };
    const types = new Set(keysOf(payments).map(({ Type }) => Type));
    expect([...types].sort()).toEqual([
      'AWS::DynamoDB::Table',
      'AWS::Lambda::Function',
      'AWS::Logs::LogGroup',
      'AWS::SQS::Queue',
    ]);
    for (const { Type, key } of keysOf(payments)) expect({ Type, key }).toEqual({ Type, key: imported });
    const all = Object.values(payments).filter(({ Type }) => types.has(Type));
    expect(keysOf(payments)).toHaveLength(all.length);
  });

  test('encrypts the archive, and not the bus, with the key of the same stack, which outlives it', () => {
    expect(bus.EventArchive?.Properties?.KmsKeyIdentifier).toEqual({ 'Fn::GetAtt': ['DataKey', 'Arn'] });
    expect(bus.EventBus?.Properties).not.toHaveProperty('KmsKeyIdentifier');
    expect(bus.DataKey).toMatchObject({ DeletionPolicy: 'Retain', Properties: { EnableKeyRotation: true } });
  });

  test('lets functions decrypt, and make data keys when they send to queues; pipes only decrypt', () => {
    const statementOf = (resources: typeof bus, role: string) => {
      const [policy] = (resources[role]?.Properties?.Policies ?? []) as unknown as Array<{
        PolicyDocument: { Statement: Array<{ Action: string | string[] }> };
      }>;
      return policy?.PolicyDocument.Statement.find(({ Action }) =>
        [Action].flat().some((action) => action.startsWith('kms:')),
      );
    };
    const Resource = { 'Fn::ImportValue': 'millrace-prod:DataKeyArn' };
    const Effect = 'Allow';
    for (const [resources, role] of [
      [payments, 'OnStockReservedRole'],
      [payments, 'RelayRole'],
      [reEmitter, 'ReemitRole'],
    ] as const) {
      const Action = ['kms:Decrypt', 'kms:GenerateDataKey'];
      expect(statementOf(resources, role)).toEqual({ Effect, Action, Resource });
    }
    expect(statementOf(partnerOrders, 'AcmePipeRole')).toEqual({ Effect, Action: ['kms:Decrypt'], Resource });
  });

  test('lets each service use the key for what is of this stage alone', () => {
    const { Statement } = (bus.DataKey?.Properties?.KeyPolicy ?? {}) as unknown as {
      Statement: Array<{ Sid: string; Condition?: object }>;
    };
    const conditions = new Map(Statement.map(({ Sid, Condition }) => [Sid, JSON.stringify(Condition)]));
    expect(conditions.get('RulesFillQueues')).toContain('rule/millrace-prod/millrace-*-prod-*');
    expect(conditions.get('RulesFillQueues')).toContain('aws:SourceAccount');
    expect(conditions.get('TheArchiveKeepsEvents')).toContain('event-bus/millrace-prod');
    expect(conditions.get('TheAlarmTopicFillsItsDeadLetterQueue')).toContain('millrace-prod-alarms');
    expect(conditions.get('LogsAreKept')).toContain('log-group:/aws/*/millrace-*-prod*');
  });
});

test('encryptionKey: aws leaves everything to the keys of AWS', async () => {
  for (const resources of await templatesAt('dev')) {
    expect(keysOf(resources)).toEqual([]);
    expect(resources).not.toHaveProperty('DataKey');
  }
});

test('another value is a mistake, with the place and what to write', () => {
  const osls = {
    service: {
      custom: { consumers: { encryptionKey: 'mine' } },
      provider: { compiledCloudFormationTemplate: { Resources: {} as Record<string, CfnResource>, Outputs: {} } },
    },
  } as unknown as Osls;
  expect(() => encryptResources(osls)).toThrow(
    expect.objectContaining({
      code: 'CONSUMERS_ENCRYPTION_KEY',
      key: 'custom.consumers.encryptionKey',
      message: expect.stringContaining('"mine": write aws'),
    }),
  );
});
