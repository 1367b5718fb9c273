import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { compileTemplates } from '@millrace/workspace/packaging';
import { encryptResources } from './encryption.ts';
import type { CfnResource, Osls } from './osls.ts';

const root = join(import.meta.dirname, '..', '..', '..');

async function templatesAt(stage: string) {
  const compiled = await compileTemplates({
    directories: ['event-bus', 'payments', 're-emitter', 'partner-orders', 'checkout'].map((name) =>
      join(root, 'services', name),
    ),
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
  let checkout: typeof bus = {};
  beforeAll(async () => {
    [bus = {}, payments = {}, reEmitter = {}, partnerOrders = {}, checkout = {}] = await templatesAt('prod');
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

  test('encrypts what executions are given, and lets the role of their machine use the key for them alone', () => {
    const key = { 'Fn::ImportValue': 'millrace-prod:DataKeyArn' };
    expect(checkout.StateMachine?.Properties?.EncryptionConfiguration).toEqual({
      ...{ Type: 'CUSTOMER_MANAGED_KMS_KEY', KmsKeyId: key, KmsDataKeyReusePeriodSeconds: 900 },
    });
    const [policy] = (checkout.StateMachineRole?.Properties?.Policies ?? []) as unknown as Array<{
      PolicyDocument: { Statement: object[] };
    }>;
    const machine = `arn:\${AWS::Partition}:states:\${AWS::Region}:\${AWS::AccountId}:stateMachine:millrace-checkout-prod`;
    expect(policy?.PolicyDocument.Statement.slice(1)).toEqual([
      {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: key,
        Condition: { StringEquals: { 'kms:EncryptionContext:aws:states:stateMachineArn': { 'Fn::Sub': machine } } },
      },
    ]);
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
    expect(resources.StateMachine?.Properties ?? {}).not.toHaveProperty('EncryptionConfiguration');
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

test('a state machine without a name cannot be named to the key', () => {
  const machine = {
    Type: 'AWS::StepFunctions::StateMachine',
    Properties: { RoleArn: 'arn:aws:iam::000000000000:role/r' },
  };
  const osls = {
    getProvider: () => ({ getStage: () => 'prod' }),
    service: {
      custom: { consumers: { encryptionKey: 'own' } },
      provider: { compiledCloudFormationTemplate: { Resources: { Process: machine }, Outputs: {} } },
    },
  } as unknown as Osls;
  expect(() => encryptResources(osls)).toThrow(
    expect.objectContaining({ message: expect.stringContaining('a state machine has no StateMachineName') }),
  );
});
