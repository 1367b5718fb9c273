import { ConfigurationError } from './configuration-error.ts';
import type { CfnResource, CfnValue, Osls } from './osls.ts';

const key = 'custom.consumers.encryptionKey';

/** Logical id and export of the key, in the stack of the protected bus. */
const keyId = 'DataKey';

/** For how long SQS uses a data key before it asks KMS again: an hour keeps the requests few. */
const reuseSeconds = 3600;

/** Step Functions takes no more. */
const longestReuseOfExecutions = 900;

type Statement = Readonly<Record<string, unknown>>;

/**
 * What a type of resource gets so that its data are encrypted with a key of the account's own.
 * A bus is not among them: one with such a key loses the events for which KMS cannot be asked.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html
 */
const encrypted: Readonly<Record<string, (arn: CfnValue) => Record<string, unknown>>> = {
  // SQS's own key and another one exclude each other.
  'AWS::SQS::Queue': (arn) => ({
    SqsManagedSseEnabled: undefined,
    KmsMasterKeyId: arn,
    KmsDataKeyReusePeriodSeconds: reuseSeconds,
  }),
  'AWS::DynamoDB::Table': (arn) => ({ SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: arn } }),
  'AWS::Kinesis::Stream': (arn) => ({ StreamEncryption: { EncryptionType: 'KMS', KeyId: arn } }),
  'AWS::Logs::LogGroup': (arn) => ({ KmsKeyId: arn }),
  'AWS::Lambda::Function': (arn) => ({ KmsKeyArn: arn }),
  'AWS::Events::Archive': (arn) => ({ KmsKeyIdentifier: arn }),
  // What its executions are given and answer. https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
  'AWS::StepFunctions::StateMachine': (arn) => ({
    EncryptionConfiguration: {
      Type: 'CUSTOMER_MANAGED_KMS_KEY',
      KmsKeyId: arn,
      KmsDataKeyReusePeriodSeconds: longestReuseOfExecutions,
    },
  }),
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
  'AWS::S3::Bucket': (arn) => ({
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [
        { ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arn }, BucketKeyEnabled: true },
      ],
    },
  }),
};

/** Of osls, whose packages hold no data: it is there before the key. */
const DEPLOYMENT_BUCKET = 'ServerlessDeploymentBucket';

/**
 * With `custom.consumers.encryptionKey: own`, encrypts whatever a service keeps with one key of the stage: queues, tables, streams, log
 * groups, archives, buckets, the variables of functions and the data of executions. The roles of functions, schedules, pipes and state machines get
 * what they need of it, and the stack of `protectedBus` gets the key, which it exports as `millrace-<stage>:DataKeyArn`. With `aws`,
 * everything stays as it is.
 * @param serverless osls with a template that is otherwise finished; it is changed in place
 * @throws ConfigurationError CONSUMERS_ENCRYPTION_KEY for any other value
 * @example encryptResources(serverless);
 */
export function encryptResources(serverless: Osls): void {
  const { encryptionKey = 'aws', protectedBus } = (serverless.service.custom?.consumers ?? {}) as {
    encryptionKey?: unknown;
    protectedBus?: unknown;
  };
  if (encryptionKey === 'aws') return;
  if (encryptionKey !== 'own') {
    const problem = `is ${JSON.stringify(encryptionKey)}: write aws, for the keys that AWS keeps, or own, for one of this stage`;
    throw new ConfigurationError('CONSUMERS_ENCRYPTION_KEY', key, problem);
  }
  const stage = serverless.getProvider('aws').getStage();
  const exported = `millrace-${stage}:${keyId}Arn`;
  const template = serverless.service.provider.compiledCloudFormationTemplate;
  const isOwner = protectedBus !== undefined;
  const arn: CfnValue = isOwner ? { 'Fn::GetAtt': [keyId, 'Arn'] } : { 'Fn::ImportValue': exported };
  for (const [id, resource] of Object.entries(template.Resources)) {
    const change = encrypted[resource.Type];
    if (!change || id === DEPLOYMENT_BUCKET) continue;
    for (const [property, value] of Object.entries(change(arn))) {
      if (value === undefined) delete resource.Properties[property];
      else resource.Properties[property] = value;
    }
  }
  for (const role of rolesOf(template.Resources)) allowKey(role, arn);
  for (const resource of Object.values(template.Resources)) {
    if (resource.Type === 'AWS::StepFunctions::StateMachine') allowExecutions(resource, template.Resources, arn);
  }
  if (!isOwner) return;
  const busName = String(template.Resources[String(protectedBus)]?.Properties.Name);
  const allBuses = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::Events::EventBus');
  const busNames = allBuses.map(({ Properties }) => String(Properties.Name));
  template.Resources[keyId] = dataKey(stage, busName, busNames);
  template.Outputs[`${keyId}Arn`] = { Value: arn, Export: { Name: exported } };
}

/** By which property a resource names its role. */
const roleProperties: Readonly<Record<string, string>> = {
  'AWS::Lambda::Function': 'Role',
  'AWS::Pipes::Pipe': 'RoleArn',
};

/** The roles of functions, of pipes, which read queues, of deliveries into buckets, and those with which schedules write to their dead-letter queues. */
function rolesOf(resources: Readonly<Record<string, CfnResource>>): CfnResource[] {
  const users = Object.entries(resources).flatMap(([id, { Type, Properties }]) => {
    if (Type === 'AWS::Scheduler::ScheduleGroup') return [id.replace(/Group$/, 'Role')];
    const destination = Properties.ExtendedS3DestinationConfiguration as { RoleARN?: CfnValue } | undefined;
    const role = (destination?.RoleARN ?? Properties[roleProperties[Type] ?? '']) as
      | { 'Fn::GetAtt'?: string[] }
      | undefined;
    return role?.['Fn::GetAtt']?.[0] ?? [];
  });
  return users.flatMap((id) => resources[id ?? ''] ?? []);
}

/** What a producer of queues, streams and objects does: it needs a new data key. */
const sending = new Set(['sqs:SendMessage', 'kinesis:PutRecords', 's3:PutObject']);

/**
 * Lambda decrypts a function's variables, and SQS and DynamoDB their data, with the permissions of the function's role; who sends
 * to a queue or a stream, or writes into a bucket, needs a new data key as well.
 * https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
 */
function allowKey({ Properties }: CfnResource, arn: CfnValue): void {
  const [policy] = (Properties.Policies ?? []) as Array<{ PolicyDocument: { Statement: Statement[] } }>;
  const statements = policy?.PolicyDocument.Statement;
  const sends = statements?.some(
    ({ Effect, Action }) => Effect === 'Allow' && [Action].flat().some((action) => sending.has(String(action))),
  );
  statements?.push({
    Effect: 'Allow',
    Action: ['kms:Decrypt', ...(sends ? ['kms:GenerateDataKey'] : [])],
    Resource: arn,
  });
}

/**
 * Step Functions reads and writes the data of executions with the permissions of the machine's role, and names the machine to KMS. Its
 * ARN is made of its name: the role cannot refer to the machine, which refers to the role.
 * https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
 */
function allowExecutions({ Properties }: CfnResource, resources: Readonly<Record<string, CfnResource>>, arn: CfnValue) {
  const { RoleArn, StateMachineName } = Properties as {
    RoleArn?: { 'Fn::GetAtt'?: string[] };
    StateMachineName?: string;
  };
  const [policy] = (resources[RoleArn?.['Fn::GetAtt']?.[0] ?? '']?.Properties.Policies ?? []) as Array<{
    PolicyDocument: { Statement: Statement[] };
  }>;
  if (!policy || typeof StateMachineName !== 'string') {
    const problem = 'is own, but a state machine has no StateMachineName, or no role with a policy in this template';
    throw new ConfigurationError('CONSUMERS_ENCRYPTION_KEY', key, problem);
  }
  const machine = `arn:\${AWS::Partition}:states:\${AWS::Region}:\${AWS::AccountId}:stateMachine:${StateMachineName}`;
  policy.PolicyDocument.Statement.push({
    Effect: 'Allow',
    Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
    Resource: arn,
    Condition: { StringEquals: { 'kms:EncryptionContext:aws:states:stateMachineArn': { 'Fn::Sub': machine } } },
  });
}

/** The key outlives its stack: without it, what is retained could not be read. */
function dataKey(stage: string, archivedBus: string, busNames: readonly string[]): CfnResource {
  const sub = (text: string) => ({ 'Fn::Sub': text });
  const own = { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } };
  const arnOf = (service: string, resource: string) =>
    sub(`arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${resource}`);
  const events = { Service: 'events.amazonaws.com' };
  return {
    Type: 'AWS::KMS::Key',
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      Description: `Data of the ${stage} stage: queues, tables, logs, archive, variables and executions`,
      EnableKeyRotation: true,
      KeyPolicy: {
        Version: '2012-10-17',
        Statement: [
          // Roles of the account get the key by their own policies, as `allowKey` writes them.
          allow('TheAccountDecides', { AWS: sub(`arn:\${AWS::Partition}:iam::\${AWS::AccountId}:root`) }, 'kms:*'),
          // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
          allow('RulesFillQueues', events, ['kms:Decrypt', 'kms:GenerateDataKey'], {
            StringEquals: own,
            ArnLike: { 'aws:SourceArn': busNames.map((bus) => arnOf('events', `rule/${bus}/millrace-*-${stage}-*`)) },
          }),
          // https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
          allow('TheArchiveFindsTheKey', events, ['kms:DescribeKey']),
          allow('TheArchiveKeepsEvents', events, ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:ReEncrypt*'], {
            StringEquals: {
              'kms:EncryptionContext:aws:events:event-bus:arn': arnOf('events', `event-bus/${archivedBus}`),
            },
          }),
          // https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
          allow(
            'TheAlarmTopicFillsItsDeadLetterQueue',
            { Service: 'sns.amazonaws.com' },
            ['kms:Decrypt', 'kms:GenerateDataKey'],
            {
              StringEquals: own,
              ArnLike: { 'aws:SourceArn': arnOf('sns', `millrace-${stage}-alarms`) },
            },
          ),
          // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
          allow(
            'LogsAreKept',
            { Service: sub(`logs.\${AWS::Region}.amazonaws.com`) },
            ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
            {
              ArnLike: { 'kms:EncryptionContext:aws:logs:arn': arnOf('logs', `log-group:/aws/*/millrace-*-${stage}*`) },
            },
          ),
        ],
      },
    },
  };
}

/** In the policy of a key, `*` is this key. */
function allow(Sid: string, Principal: object, Action: string | string[], Condition?: object): Statement {
  return { Sid, Effect: 'Allow', Principal, Action, Resource: '*', ...(Condition && { Condition }) };
}
