import { at, circuitsOf, list, referenceTo } from '../template.ts';
import {
  type Break,
  type Breaks,
  isBusRule,
  isQueueRule,
  isReadByPipe,
  mappingOf,
  setting,
  type Target,
  typed,
} from './break.ts';

const isQueue = 'AWS::SQS::Queue';
const isTable = 'AWS::DynamoDB::Table';
const isAlarm = 'AWS::CloudWatch::Alarm';
const isArchive = 'AWS::Events::Archive';
const stream = mappingOf(isTable);
const kinesis = mappingOf('AWS::Kinesis::Stream');
const anyStream = (target: Target) => stream(target) || kinesis(target);
const queueMapping = mappingOf(isQueue);
const callsProvider = typed(
  'AWS::Lambda::Function',
  ({ properties }) => at(properties, 'Environment', 'Variables', 'MILLRACE_CIRCUIT_OPEN_SECONDS') !== undefined,
);
const source = typed(isQueue, ({ properties }) => properties.RedrivePolicy !== undefined);
const consumed = typed(isQueue, (target) => source(target) && !isReadByPipe(target));
const deadLetters = typed(isQueue, ({ properties }) => properties.RedrivePolicy === undefined);
const filter = (title: string, pattern: object, says: RegExp) =>
  setting(title, stream, 'FilterCriteria.Filters', [{ Pattern: JSON.stringify(pattern) }], says);

/** Another resource that goes, and what the rule then says of the one it applies to. */
const without = (title: string, applies: Break['applies'], other: (target: Target) => string, says: RegExp): Break => ({
  title,
  applies,
  change: (target) => {
    delete target.resources[other(target)];
  },
  says,
});

/** Events and rows that get lost, late or forgotten. */
export const durability: Breaks = {
  'event-paths': [
    without(
      'a queue that is not emptied',
      consumed,
      ({ id }) => id.replace(/Queue$/, 'EventSourceMapping'),
      /1 rules feed it and 0 mappings/,
    ),
    without(
      'a queue that is not filled',
      consumed,
      ({ id }) => id.replace(/Queue$/, 'Rule'),
      /^0 rules feed it and 1 mappings/,
    ),
    without(
      'a function that its API may not call',
      'AWS::ApiGatewayV2::Integration',
      ({ properties }) =>
        (referenceTo(properties.IntegrationUri) ?? '').replace('LambdaFunction', 'LambdaPermissionHttpApi'),
      /^no AWS::Lambda::Permission lets the API call its function$/,
    ),
    without(
      'a bus without an archive',
      typed('AWS::Events::EventBus', ({ id }) => id === 'EventBus'),
      () => 'EventArchive',
      /^no archive keeps its events/,
    ),
    without('a topic that nobody reads', 'AWS::SNS::Topic', () => 'AlarmEmail', /^nobody is subscribed to it$/),
    {
      title: 'two mappings for one queue',
      applies: queueMapping,
      change: ({ id, resource, resources }) => {
        resources[`${id}Second`] = structuredClone(resource);
      },
      says: /^its source has another mapping$/,
    },
    {
      title: 'a second API',
      applies: 'AWS::ApiGatewayV2::Api',
      change: ({ id, resource, resources }) => {
        resources[`${id}Second`] = structuredClone(resource);
      },
      says: /^is a second API of this service$/,
      names: ({ id }) => `${id}Second`,
    },
    setting('a route for everything', 'AWS::ApiGatewayV2::Route', 'RouteKey', '$default', /^RouteKey is \$default/),
    setting('a route for any method', 'AWS::ApiGatewayV2::Route', 'RouteKey', 'ANY /orders', /^RouteKey is ANY/),
    setting('a route below a path', 'AWS::ApiGatewayV2::Route', 'RouteKey', 'GET /{proxy+}', /^RouteKey is GET/),
    setting('a route to nowhere', 'AWS::ApiGatewayV2::Route', 'Target', 'integrations/x', /^Target is/),
  ],
  'stream-mappings': [
    setting('one attempt', anyStream, 'MaximumRetryAttempts', 1, /^MaximumRetryAttempts is 1, not 1000 or more$/),
    setting('no attempt', anyStream, 'MaximumRetryAttempts', 0, /^MaximumRetryAttempts is 0/),
    setting('a minute', anyStream, 'MaximumRecordAgeInSeconds', 60, /^MaximumRecordAgeInSeconds is 60/),
    // Lambda tells the dead-letter queue of a record when it gives it up, and not when the stream drops it.
    setting(
      'for ever, beyond what the stream keeps',
      anyStream,
      'MaximumRecordAgeInSeconds',
      -1,
      /RecordAgeInSeconds is -1/,
    ),
    setting('a week', anyStream, 'MaximumRecordAgeInSeconds', 604_800, /^MaximumRecordAgeInSeconds is 604800/),
    setting('only what comes from now on', anyStream, 'StartingPosition', 'LATEST', /^StartingPosition is LATEST/),
    setting(
      'all or nothing',
      anyStream,
      'BisectBatchOnFunctionError',
      false,
      /^BisectBatchOnFunctionError is not true/,
    ),
  ],
  'relay-streams': [
    filter(
      'some rows',
      { dynamodb: { NewImage: { pk: { S: [{ prefix: 'invoice' }] } } } },
      /^FilterCriteria leaves out/,
    ),
    filter('changes alone', { eventName: ['MODIFY'] }, /^FilterCriteria leaves out/),
    filter('every row', { eventName: ['INSERT'] }, /^FilterCriteria lets rows without an event through$/),
    filter(
      'rows that go',
      { dynamodb: { NewImage: { outbox: { M: { detail: { S: [{ exists: true }] } } } } } },
      /emitted before$/,
    ),
    setting('no filter', stream, 'FilterCriteria.Filters', [], /^FilterCriteria leaves out/),
  ],
  'queue-retention': [
    setting('a minute', isQueue, 'MessageRetentionPeriod', 60, /^MessageRetentionPeriod is 60 s, not \d+ s or more$/),
    setting('an hour', isQueue, 'MessageRetentionPeriod', 3600, /^MessageRetentionPeriod is 3600 s/),
    setting('what SQS has', isQueue, 'MessageRetentionPeriod', undefined, /^MessageRetentionPeriod is undefined s/),
    setting('dead letters for four days', deadLetters, 'MessageRetentionPeriod', 345_600, /not 1209600 s or more$/),
  ],
  'row-expiry': [
    setting(
      'by another attribute',
      isTable,
      'TimeToLiveSpecification',
      { AttributeName: 'createdAt', Enabled: true },
      /createdAt/,
    ),
    setting(
      'switched off',
      isTable,
      'TimeToLiveSpecification',
      { AttributeName: 'ttl', Enabled: false },
      /"Enabled":false/,
    ),
    {
      title: 'none',
      applies: typed(isTable, ({ id, service }) => id !== 'ProjectionsTable' && service.name !== 'partner-orders'),
      change: ({ properties }) => delete properties.TimeToLiveSpecification,
      says: /^TimeToLiveSpecification is undefined/,
    },
  ],
  'resource-shapes': [
    setting('dead letters at the first failure', source, 'RedrivePolicy.maxReceiveCount', 1, /maxReceiveCount is 1/),
    setting('no dead letters for ever', source, 'RedrivePolicy.maxReceiveCount', 1000, /maxReceiveCount is 1000/),
    setting('messages that come late', isQueue, 'DelaySeconds', 900, /^DelaySeconds is not judged/),
    setting('messages of a kilobyte', isQueue, 'MaximumMessageSize', 1024, /^MaximumMessageSize is not judged/),
    setting('a mapping that is switched off', queueMapping, 'Enabled', false, /^Enabled is false/),
    setting('a queue of which some are deleted', queueMapping, 'FilterCriteria', { Filters: [] }, /^FilterCriteria is/),
    setting('a rule that is switched off', isBusRule, 'State', 'DISABLED', /^State is "DISABLED"/),
    setting('another bus', isBusRule, 'EventBusName', 'default', /^EventBusName is "default"/),
    setting(
      'events that give up in an hour',
      isBusRule,
      'Targets.0.RetryPolicy.MaximumEventAgeInSeconds',
      3600,
      /is 3600/,
    ),
    setting('events that are tried once', isBusRule, 'Targets.0.RetryPolicy.MaximumRetryAttempts', 0, /Attempts is 0/),
    setting('half an event', isBusRule, 'Targets.0.InputPath', '$.detail.data', /InputPath is not judged/),
    setting('another event', isBusRule, 'Targets.0.Input', '{}', /Input is not judged/),
    setting('an event somewhere else', isBusRule, 'Targets.0.Arn', 'arn:aws:sqs:us-east-1:999999999999:x', /Arn is/),
    setting('an archive of some events', isArchive, 'EventPattern', { source: ['x'] }, /^EventPattern is not judged/),
    setting('an archive of a day', isArchive, 'RetentionDays', 1, /^RetentionDays is 1, not 365$/),
    setting(
      'a stream of keys alone',
      typed(isTable, ({ properties }) => properties.StreamSpecification !== undefined),
      'StreamSpecification.StreamViewType',
      'KEYS_ONLY',
      /^StreamSpecification is/,
    ),
    setting(
      'no stream',
      typed(isTable, ({ properties }) => properties.StreamSpecification !== undefined),
      'StreamSpecification',
      undefined,
      /^StreamSpecification is undefined/,
    ),
    setting(
      'a stream that nobody reads',
      typed(isTable, ({ properties }) => properties.StreamSpecification === undefined),
      'StreamSpecification',
      { StreamViewType: 'NEW_IMAGE' },
      /^StreamSpecification is/,
    ),
    setting(
      'an alarm of five minutes',
      typed(isAlarm, ({ properties }) => properties.Period !== undefined),
      'Period',
      300,
      /^Period is 300/,
    ),
    setting(
      'an alarm on nothing',
      typed(isAlarm, ({ properties }) => properties.Dimensions !== undefined),
      'Dimensions',
      [{ Name: 'QueueName', Value: 'nothing' }],
      /^Dimensions is/,
    ),
  ],
  'consumer-alarms': [
    without(
      'no alarm for a late queue',
      queueMapping,
      ({ id }) => id.replace('EventSourceMapping', 'QueueAgeAlarm'),
      /is late$/,
    ),
    without(
      'no alarm for a queue that stands',
      queueMapping,
      ({ id }) => id.replace('EventSourceMapping', 'QueueStoppedAlarm'),
      /not emptied$/,
    ),
    without('no alarm for a late stream', stream, () => 'RelayAgeAlarm', /^no alarm goes off when Table is late$/),
    without('no alarm for a relay that fails', stream, () => 'RelayFailingAlarm', /fails again and again$/),
    without('no alarm for a relay that may not run', stream, () => 'RelayThrottledAlarm', /may not run$/),
    without('no alarm for a stream that nobody reads', stream, () => 'RelayStoppedAlarm', /is not read$/),
    ...(['Age', 'Failing', 'Throttled', 'Stopped'] as const).map((kind) =>
      without(
        `no alarm for a consumer of a stream: ${kind}`,
        kinesis,
        ({ id }) => id.replace(/EventSourceMapping$/, `Stream${kind}Alarm`),
        /is late$|fails again and again$|may not run$|is not read$/,
      ),
    ),
    without(
      'no alarm for an open circuit',
      callsProvider,
      ({ service }) => (service.name === 'payments' ? 'ProviderCircuitAlarm' : 'SmsCircuitAlarm'),
      /circuit (payment-provider|sms) is open$/,
    ),
    {
      title: 'a circuit that is not known',
      applies: typed('AWS::Lambda::Function', ({ service }) => circuitsOf[service.name] === undefined),
      change: ({ properties }) => {
        const { Variables } = properties.Environment as { Variables: Record<string, unknown> };
        Variables.MILLRACE_CIRCUIT_OPEN_SECONDS = '30';
      },
      says: /circuitsOf does not name$/,
    },
    {
      title: 'an alarm for the stream that takes no reads for no news',
      applies: stream,
      change: ({ resources }) => {
        Object.assign(resources.RelayStoppedAlarm?.Properties ?? {}, { TreatMissingData: 'notBreaching' });
      },
      says: /is not read$/,
    },
    {
      title: 'an alarm after a day',
      applies: queueMapping,
      change: ({ id, resources }) => {
        const alarm = resources[id.replace('EventSourceMapping', 'QueueAgeAlarm')];
        Object.assign(alarm?.Properties ?? {}, { Threshold: 86_400 });
      },
      says: /is late$/,
    },
    {
      title: 'an alarm that never goes',
      applies: queueMapping,
      change: ({ id, resources }) => {
        const alarm = resources[id.replace('EventSourceMapping', 'QueueStoppedAlarm')];
        (list(alarm?.Properties?.Metrics)[2] as Record<string, unknown>).Expression = 'waiting * 0';
      },
      says: /not emptied$/,
    },
    {
      title: "an alarm for another service's relay",
      applies: stream,
      change: ({ resources }) => {
        Object.assign(list(resources.RelayAgeAlarm?.Properties?.Dimensions)[0] as object, {
          Value: 'millrace-other-prod-relay',
        });
      },
      says: /^no alarm goes off when Table is late$/,
    },
  ],
  'dead-letter-alarms': [
    setting('an alarm without its end', isAlarm, 'OKActions', undefined, /do not both tell the alarm topic$/),
    setting(
      'an alarm elsewhere',
      isAlarm,
      'AlarmActions',
      ['arn:aws:sns:us-east-1:999999999999:x'],
      /do not both tell/,
    ),
    setting(
      'an alarm here and elsewhere',
      isAlarm,
      'AlarmActions',
      [{ Ref: 'AlarmTopic' }, 'arn:aws:sns:us-east-1:999999999999:x'],
      /do not both tell/,
    ),
  ],
  'dead-letter-queues': [
    {
      title: 'a consumer as a dead-letter queue',
      applies: source,
      change: ({ properties, id }) => {
        Object.assign(properties.RedrivePolicy as object, { deadLetterTargetArn: { 'Fn::GetAtt': [id, 'Arn'] } });
      },
      says: /keeps messages no longer than their source|which is the queue of a consumer/,
    },
    {
      title: 'one dead-letter queue for two hops',
      applies: isQueueRule,
      change: ({ id, properties }) => {
        const target = list(properties.Targets)[0] as Record<string, unknown>;
        target.DeadLetterConfig = { Arn: { 'Fn::GetAtt': [id.replace(/Rule$/, 'DeadLetterQueue'), 'Arn'] } };
      },
      says: /takes the dead letters of others, too$/,
    },
    {
      title: 'a dead-letter queue for the queue of somebody else',
      applies: typed(isQueue, ({ properties }) => at(properties.RedriveAllowPolicy, 'redrivePermission') === 'byQueue'),
      change: ({ properties }) => {
        Object.assign(properties.RedriveAllowPolicy as object, {
          sourceQueueArns: ['arn:aws:sqs:us-east-1:999999999999:x'],
        });
      },
      says: /^RedriveAllowPolicy lets any queue dead-letter into it, or not its own$/,
    },
  ],
  'visibility-timeouts': [
    setting('twelve hours', consumed, 'VisibilityTimeout', 43_200, /^VisibilityTimeout is 43200 s/),
    setting('what SQS has', consumed, 'VisibilityTimeout', undefined, /^VisibilityTimeout is 30 s/),
  ],
  'partial-batches': [
    setting('another answer', mappingOf(isTable), 'FunctionResponseTypes', [], /^FunctionResponseTypes has no/),
  ],
  'maximum-concurrency': [
    setting('one', queueMapping, 'ScalingConfig.MaximumConcurrency', 1, /^has no ScalingConfig\.MaximumConcurrency$/),
  ],
  'rule-patterns': [
    setting(
      'every event',
      isBusRule,
      'EventPattern',
      { source: [{ prefix: '' }] },
      /^EventPattern names no detail-type$/,
    ),
    setting('no pattern', isBusRule, 'EventPattern', undefined, /^has no EventPattern$/),
    setting('events of one account', isBusRule, 'EventPattern.account', ['999999999999'], /^EventPattern has account$/),
    setting('events of anybody', isBusRule, 'EventPattern.source', undefined, /^EventPattern lacks millrace\./),
    {
      title: "events of another service's name",
      applies: isBusRule,
      change: ({ properties }) => (at(properties.EventPattern, 'source') as string[]).push('millrace.mallory'),
      says: /^EventPattern has the source millrace\.mallory, none of whose events it names$/,
    },
  ],
  'protected-tables': [
    setting(
      'deletion by hand',
      isTable,
      'DeletionProtectionEnabled',
      undefined,
      /^DeletionProtectionEnabled is undefined/,
    ),
  ],
  'encryption-at-rest': [
    setting('a table without', isTable, 'SSESpecification.SSEEnabled', false, /^has no SSESpecification/),
    setting('a queue with two', isQueue, 'SqsManagedSseEnabled', true, /^has no SqsManagedSseEnabled/),
  ],
  'log-retention': [
    setting(
      'a group of no function',
      'AWS::Logs::LogGroup',
      'LogGroupName',
      '/aws/lambda/x',
      /is the group of no function, API or delivery stream$/,
    ),
  ],
};
