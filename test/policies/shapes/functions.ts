import { rolesOfLake } from '../rules/lake.ts';
import { groupOfRole } from '../rules/schedules.ts';
import {
  absent,
  between,
  computed,
  dataKey,
  each,
  hasOwnKey,
  judgedBy,
  matching,
  object,
  oneOf,
  ownName,
  policy,
  reference,
  type Shape,
  type ShapeContext,
  type TypeShape,
  when,
} from '../shape.ts';
import { isDurable, referenceTo, sourceTypeOf } from '../template.ts';

const day = 86_400;

/** Functions, their roles, and what calls them. */
export const functions: Readonly<Record<string, TypeShape>> = {
  'AWS::Lambda::Function': {
    properties: {
      Code: object({ S3Bucket: reference('AWS::S3::Bucket'), S3Key: matching(/^serverless\/[^*?]+\.zip$/) }),
      Handler: matching(/^src\/handlers\/[a-z-]+\.handler$/),
      Runtime: judgedBy('function-platform'),
      Architectures: judgedBy('function-platform'),
      FunctionName: ownName,
      MemorySize: between(256, 3008), // less has a tenth of a processor or less, and starts in seconds
      Timeout: between(5, 60), // longer than the calls it makes; the visibility of its queue grows with it
      Tags: judgedBy('tags'),
      Environment: object({ Variables: judgedBy('function-environment') }),
      KmsKeyArn: dataKey,
      // In its own group, and from INFO on at least; of what Lambda says itself WARN tells of the calls that failed.
      LoggingConfig: object({
        LogFormat: oneOf('JSON'),
        ApplicationLogLevel: oneOf('DEBUG', 'INFO'),
        SystemLogLevel: oneOf('WARN'),
      }),
      Role: judgedBy('function-roles'),
      DurableConfig: when(
        isDurable,
        object({
          ExecutionTimeout: between(2 * day, 31_622_400), // an approval has a day of it; at most 366 days
          RetentionPeriodInDays: oneOf(90), // as Step Functions
        }),
        absent,
      ),
    },
    // Lambda would make the group itself, without a retention, and the deployment would then fail.
    waitsFor: ({ service, properties }) =>
      Object.entries(service.template.Resources ?? {})
        .filter(([, { Properties }]) => Properties?.LogGroupName === `/aws/lambda/${properties.FunctionName}`)
        .map(([id]) => id),
  },
  'AWS::IAM::Role': {
    properties: {
      AssumeRolePolicyDocument: judgedByOwner(
        when(
          ({ id, service }) => groupOfRole(service, id) !== undefined,
          judgedBy('schedules'),
          judgedBy('function-roles'),
        ),
      ),
      Policies: judgedByOwner(
        each(object({ PolicyName: oneOf('function', 'schedules'), PolicyDocument: policy('permitted-actions') }), {
          most: 1,
        }),
      ),
    },
  },
  'AWS::StepFunctions::StateMachine': {
    properties: {
      StateMachineName: computed(({ service }) => `millrace-${service.name}-${service.stage}`),
      StateMachineType: oneOf('STANDARD'), // an express one may run a step twice
      RoleArn: reference('AWS::IAM::Role', 'Arn'),
      Definition: judgedBy('state-machines'),
      DefinitionSubstitutions: judgedBy('state-machines'),
      EncryptionConfiguration: when(
        hasOwnKey,
        object({
          Type: oneOf('CUSTOMER_MANAGED_KMS_KEY'),
          KmsKeyId: dataKey,
          KmsDataKeyReusePeriodSeconds: between(60, 900),
        }),
        absent,
      ),
    },
  },
  'AWS::Lambda::Permission': {
    properties: {
      FunctionName: reference('AWS::Lambda::Function', 'Arn'),
      Action: oneOf('lambda:InvokeFunction'),
      Principal: oneOf('apigateway.amazonaws.com', 'events.amazonaws.com'),
      SourceArn: judgedBy('resource-policies'),
    },
  },
  'AWS::Lambda::Version': {
    properties: {
      FunctionName: reference('AWS::Lambda::Function'),
      CodeSha256: matching(/^[A-Za-z0-9+/]{43}=$/),
    },
    removal: keptWhenRemoved,
  },
  'AWS::Lambda::Alias': {
    properties: {
      Name: oneOf('durable'),
      FunctionName: reference('AWS::Lambda::Function'),
      FunctionVersion: judgedBy('durable-functions'),
    },
  },
  'AWS::Lambda::EventSourceMapping': {
    properties: {
      EventSourceArn: judgedBy('event-paths'),
      FunctionName: reference('AWS::Lambda::Function', 'Arn'),
      Enabled: oneOf(true),
      BatchSize: when(readsQueue, between(1, 1000), between(10, 1000)),
      ParallelizationFactor: when(readsKinesis, between(1, 10), absent),
      FunctionResponseTypes: oneOf(['ReportBatchItemFailures']),
      // What a queue's filter leaves out is deleted, so there is none.
      FilterCriteria: when(
        (context) => readsQueue(context) || readsKinesis(context),
        absent,
        object({ Filters: each(object({ Pattern: judgedBy('relay-streams') })) }),
      ),
      MaximumBatchingWindowInSeconds: when(
        (context) => readsQueue(context) || readsKinesis(context),
        between(0, 300),
        absent,
      ),
      ScalingConfig: when(readsQueue, object({ MaximumConcurrency: between(2, 1000) }), absent),
      StartingPosition: when(readsQueue, absent, judgedBy('stream-mappings')),
      MaximumRetryAttempts: when(readsQueue, absent, judgedBy('stream-mappings')),
      MaximumRecordAgeInSeconds: when(readsQueue, absent, judgedBy('stream-mappings')),
      BisectBatchOnFunctionError: when(readsQueue, absent, judgedBy('stream-mappings')),
      DestinationConfig: when(
        readsQueue,
        absent,
        object({ OnFailure: object({ Destination: judgedBy('dead-letter-queues') }) }),
      ),
    },
    // Lambda checks the role's permissions when the mapping is made.
    waitsFor: ({ service, properties }) => {
      const handler = service.template.Resources?.[referenceTo(properties.FunctionName) ?? ''];
      return [referenceTo(handler?.Properties?.Role) ?? ''];
    },
  },
};

/** What a rule of its own judges of the roles of state machines, pipes and lakes, and a shape of those of functions and schedules. */
function judgedByOwner(otherwise: Shape): Shape {
  const ofLake = when(({ id, service }) => rolesOfLake(service).includes(id), judgedBy('lake'), otherwise);
  const ofPipe = when(isOf('AWS::Pipes::Pipe'), judgedBy('pipes'), ofLake);
  return when(isOf('AWS::StepFunctions::StateMachine'), judgedBy('state-machines'), ofPipe);
}

/**
 * Executions under way go on with the version that they began with. A changed one has another logical id, so that none is replaced.
 */
function keptWhenRemoved(value: unknown, path: string, context: ShapeContext): string[] {
  return (path === 'DeletionPolicy' ? oneOf('Retain') : absent)(value, path, context);
}

/** Whether a role is that of a resource of this type. */
function isOf(type: string): (context: ShapeContext) => boolean {
  return ({ id, service }) =>
    Object.values(service.template.Resources ?? {}).some(
      ({ Type, Properties }) => Type === type && referenceTo(Properties?.RoleArn) === id,
    );
}

function readsQueue(context: ShapeContext): boolean {
  return sourceTypeOf(context.properties.EventSourceArn, context.service) === 'AWS::SQS::Queue';
}

function readsKinesis(context: ShapeContext): boolean {
  return sourceTypeOf(context.properties.EventSourceArn, context.service) === 'AWS::Kinesis::Stream';
}
