import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CompiledService, compileTemplates } from '@millrace/workspace/packaging';

const lib = join(import.meta.dirname, '..');
/** Ignored by git: packages and generated services. */
const scratch = join(lib, '.millrace');
const cacheDirectory = join(scratch, 'packages');
const pack = (directories: string[]) =>
  compileTemplates({ directories, stage: 'dev', region: 'us-east-1', cacheDirectory });

let shop: CompiledService;
let tuned: CompiledService;

beforeAll(async () => {
  [shop, tuned] = (await pack(['shop', 'tuned'].map((name) => join(lib, 'fixtures', name)))) as [
    CompiledService,
    CompiledService,
  ];
});

function resource(service: CompiledService, id: string) {
  const found = service.template.Resources?.[id];
  if (!found) throw new Error(`${service.name} has no resource ${id}`);
  return found;
}

const properties = (service: CompiledService, id: string) => resource(service, id).Properties ?? {};
const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const statements = (service: CompiledService, role: string) =>
  (properties(service, role).Policies as { PolicyDocument: { Statement: unknown[] } }[]).flatMap(
    ({ PolicyDocument }) => PolicyDocument.Statement,
  );

describe('a consume of one line', () => {
  test('becomes exactly the rule, queues, policies, mapping, alarms and role', () => {
    const ids = Object.keys(shop.template.Resources ?? {}).filter((id) => id.startsWith('OnShelfFilled'));
    expect(ids.sort()).toEqual([
      'OnShelfFilledDeadLetterQueue',
      'OnShelfFilledDeadLetterQueueDepthAlarm',
      'OnShelfFilledDeadLetterQueuePolicy',
      'OnShelfFilledEventSourceMapping',
      'OnShelfFilledLambdaFunction',
      'OnShelfFilledLogGroup',
      'OnShelfFilledQueue',
      'OnShelfFilledQueueAgeAlarm',
      'OnShelfFilledQueueDeferringAlarm',
      'OnShelfFilledQueuePolicy',
      'OnShelfFilledQueueStoppedAlarm',
      'OnShelfFilledRole',
      'OnShelfFilledRule',
      'OnShelfFilledRuleDeadLetterQueue',
      'OnShelfFilledRuleDeadLetterQueueDepthAlarm',
      'OnShelfFilledRuleDeadLetterQueuePolicy',
    ]);
  });

  test('its rule on the shared bus feeds the queue and dead-letters what it cannot deliver', () => {
    expect(resource(shop, 'OnShelfFilledRule')).toEqual({
      Type: 'AWS::Events::Rule',
      Properties: {
        Name: 'millrace-shop-dev-on-shelf-filled',
        Description: 'Feeds shop.onShelfFilled',
        EventBusName: { 'Fn::ImportValue': 'millrace-dev:EventBusName' },
        EventPattern: { source: ['millrace.shop'], 'detail-type': ['ShelfFilled.v1'] },
        Targets: [
          {
            Id: 'queue',
            Arn: arn('OnShelfFilledQueue'),
            RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
            DeadLetterConfig: { Arn: arn('OnShelfFilledRuleDeadLetterQueue') },
          },
        ],
      },
    });
  });

  test('with bus: analytics, its rule is on that bus', () => {
    expect(properties(shop, 'OnVariantRule')).toMatchObject({
      EventBusName: { 'Fn::ImportValue': 'millrace-dev:AnalyticsBusName' },
      EventPattern: { source: ['millrace.shop'], 'detail-type': ['ShelfFilled.v1'] },
    });
  });

  test('its queues are encrypted and the dead-letter queues keep messages for longer', () => {
    expect(resource(shop, 'OnShelfFilledQueue')).toEqual({
      Type: 'AWS::SQS::Queue',
      Properties: {
        QueueName: 'millrace-shop-dev-on-shelf-filled',
        SqsManagedSseEnabled: true,
        // The provider's timeout of 10 s, six times.
        VisibilityTimeout: 60,
        MessageRetentionPeriod: 345_600,
        RedrivePolicy: { deadLetterTargetArn: arn('OnShelfFilledDeadLetterQueue'), maxReceiveCount: 5 },
      },
    });
    for (const [id, QueueName] of [
      ['OnShelfFilledDeadLetterQueue', 'millrace-shop-dev-on-shelf-filled-dlq'],
      ['OnShelfFilledRuleDeadLetterQueue', 'millrace-shop-dev-on-shelf-filled-rule-dlq'],
    ] as const) {
      expect(resource(shop, id)).toMatchObject({
        Type: 'AWS::SQS::Queue',
        Properties: { QueueName, SqsManagedSseEnabled: true, MessageRetentionPeriod: 604_800 },
      });
    }
  });

  test('nothing but its queue may dead-letter into its dead-letter queue, and nothing into the rule’s', () => {
    const source = `arn:\${AWS::Partition}:sqs:\${AWS::Region}:\${AWS::AccountId}:millrace-shop-dev-on-shelf-filled`;
    expect(properties(shop, 'OnShelfFilledDeadLetterQueue').RedriveAllowPolicy).toEqual({
      redrivePermission: 'byQueue',
      sourceQueueArns: [{ 'Fn::Sub': source }],
    });
    expect(properties(shop, 'OnShelfFilledRuleDeadLetterQueue').RedriveAllowPolicy).toEqual({
      redrivePermission: 'denyAll',
    });
  });

  test('its dead-letter queue refuses whoever comes without TLS', () => {
    expect(properties(shop, 'OnShelfFilledDeadLetterQueuePolicy')).toEqual({
      Queues: [{ Ref: 'OnShelfFilledDeadLetterQueue' }],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'OnlyOverTls',
            Effect: 'Deny',
            Principal: '*',
            Action: 'sqs:*',
            Resource: arn('OnShelfFilledDeadLetterQueue'),
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      },
    });
  });

  test.each(['OnShelfFilledQueue', 'OnShelfFilledRuleDeadLetterQueue'])('only the rule may send to %s', (queue) => {
    expect(properties(shop, `${queue}Policy`)).toEqual({
      Queues: [{ Ref: queue }],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'OnlyThisRuleSends',
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource: arn(queue),
            Condition: { ArnEquals: { 'aws:SourceArn': arn('OnShelfFilledRule') } },
          },
          {
            Sid: 'OnlyOverTls',
            Effect: 'Deny',
            Principal: '*',
            Action: 'sqs:*',
            Resource: arn(queue),
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      },
    });
  });

  test('its mapping reports partial failures, is limited, and waits for the permissions', () => {
    expect(resource(shop, 'OnShelfFilledEventSourceMapping')).toEqual({
      Type: 'AWS::Lambda::EventSourceMapping',
      DependsOn: ['OnShelfFilledRole'],
      Properties: {
        EventSourceArn: arn('OnShelfFilledQueue'),
        FunctionName: arn('OnShelfFilledLambdaFunction'),
        Enabled: true,
        BatchSize: 10,
        MaximumBatchingWindowInSeconds: 0,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: 5 },
      },
    });
  });

  test.each([
    [
      'OnShelfFilledDeadLetterQueueDepthAlarm',
      'dlq-depth',
      /shop\.onShelfFilled could not .* in millrace-shop-dev-.*-dlq/,
    ],
    ['OnShelfFilledRuleDeadLetterQueueDepthAlarm', 'rule-dlq-depth', /deliver .* shop\.onShelfFilled.* in .*-rule-dlq/],
    ['OnShelfFilledQueueAgeAlarm', 'age', /shop\.onShelfFilled does not keep up: .* more than 300 s/],
    ['OnShelfFilledQueueStoppedAlarm', 'stopped', /shop\.onShelfFilled has stopped: .* for 5 minutes/],
    ['OnShelfFilledQueueDeferringAlarm', 'deferring', /shop\.onShelfFilled has deferred messages for 15 minutes/],
  ])('%s has a name and a description to read, and tells when it begins and ends', (alarm, suffix, description) => {
    expect(properties(shop, alarm)).toMatchObject({
      AlarmName: `millrace-shop-dev-on-shelf-filled-${suffix}`,
      AlarmDescription: expect.stringMatching(description),
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
      AlarmActions: [{ 'Fn::ImportValue': 'millrace-dev:AlarmTopicArn' }],
      OKActions: [{ 'Fn::ImportValue': 'millrace-dev:AlarmTopicArn' }],
    });
  });

  const metric = (queue: string, MetricName: string) => ({
    Namespace: 'AWS/SQS',
    MetricName,
    Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queue, 'QueueName'] } }],
  });

  test.each([
    ['DeadLetterQueueDepth', 'DeadLetterQueue', 'ApproximateNumberOfMessagesVisible', 0, 1],
    ['RuleDeadLetterQueueDepth', 'RuleDeadLetterQueue', 'ApproximateNumberOfMessagesVisible', 0, 1],
    ['QueueAge', 'Queue', 'ApproximateAgeOfOldestMessage', 300, 3],
  ])('the %s alarm watches the %s', (alarm, queue, metricName, Threshold, EvaluationPeriods) => {
    expect(properties(shop, `OnShelfFilled${alarm}Alarm`)).toMatchObject({
      ...metric(`OnShelfFilled${queue}`, metricName),
      Statistic: 'Maximum',
      Period: 60,
      Threshold,
      EvaluationPeriods,
    });
  });

  test('an alarm goes when deferred messages wait all the time; a FIFO queue has none', () => {
    expect(properties(shop, 'OnShelfFilledQueueDeferringAlarm')).toMatchObject({
      ...metric('OnShelfFilledQueue', 'ApproximateNumberOfMessagesDelayed'),
      Statistic: 'Minimum',
      Period: 60,
      Threshold: 0,
      EvaluationPeriods: 15,
    });
    expect(tuned.template.Resources).not.toHaveProperty('OnPalletInOrderQueueDeferringAlarm');
  });

  test('an alarm goes when messages wait and nobody has received any for minutes', () => {
    expect(properties(shop, 'OnShelfFilledQueueStoppedAlarm')).toMatchObject({
      Metrics: [
        {
          Id: 'waiting',
          MetricStat: {
            Metric: metric('OnShelfFilledQueue', 'ApproximateNumberOfMessagesVisible'),
            Stat: 'Minimum',
            Period: 60,
          },
          ReturnData: false,
        },
        {
          Id: 'received',
          MetricStat: { Metric: metric('OnShelfFilledQueue', 'NumberOfMessagesReceived'), Stat: 'Sum', Period: 60 },
          ReturnData: false,
        },
        { Id: 'stopped', Expression: 'IF(waiting > 0 AND FILL(received, 0) < 1, 1, 0)', ReturnData: true },
      ],
      Threshold: 0,
      EvaluationPeriods: 5,
    });
  });

  test('its function learns who it is and where its queues are', () => {
    const { Variables } = properties(shop, 'OnShelfFilledLambdaFunction').Environment as { Variables: object };
    expect(Variables).toMatchObject({
      MILLRACE_CONSUMER: 'shop.onShelfFilled',
      MILLRACE_CONSUMER_QUEUE_URL: { Ref: 'OnShelfFilledQueue' },
      MILLRACE_CONSUMER_DLQ_URL: { Ref: 'OnShelfFilledDeadLetterQueue' },
      MILLRACE_MAX_RECEIVE_COUNT: '5',
      MILLRACE_MAX_RETRY_DELAY: '300',
      MILLRACE_QUEUE_RETENTION: '345600',
      MILLRACE_REPLAYS: 'ignore',
      POWERTOOLS_SERVICE_NAME: 'millrace-shop',
    });
    expect(Variables).not.toHaveProperty('MILLRACE_EVENT_BUS');
  });
});

describe('options', () => {
  test('several producers and a filter on detail', () => {
    expect(properties(tuned, 'OnPalletRule').EventPattern).toEqual({
      source: ['millrace.warehouse', 'millrace.yard'],
      'detail-type': ['PalletStored.v1', 'PalletStored.v2', 'CrateStored.v1'],
      detail: {
        data: {
          weight: [{ numeric: ['>', 100] }],
          $or: [{ fragile: [true] }, { ramp: ['north', { prefix: 'n-' }] }],
        },
      },
    });
  });

  test('an event that takes the place of an older version brings that one along', () => {
    expect(properties(shop, 'OnShelfCountedRule').EventPattern).toEqual({
      source: ['millrace.shop'],
      'detail-type': ['ShelfCounted.v2', 'ShelfCounted.v1'],
    });
  });

  test('sizes, times and limits', () => {
    expect(properties(tuned, 'OnPalletQueue')).toMatchObject({
      VisibilityTimeout: 6 * 30 + 5,
      MessageRetentionPeriod: 7 * 86_400,
      RedrivePolicy: { maxReceiveCount: 3 },
    });
    expect(properties(tuned, 'OnPalletEventSourceMapping')).toMatchObject({
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 5,
      ScalingConfig: { MaximumConcurrency: 20 },
    });
    expect(properties(tuned, 'OnPalletQueueAgeAlarm').Threshold).toBe(900);
  });

  test('dead letters are kept as long as the stage wants, and for a day longer than messages in any case', () => {
    expect(properties(tuned, 'OnPalletDeadLetterQueue').MessageRetentionPeriod).toBe(8 * 86_400);
    expect(properties(tuned, 'OnPalletSlowlyDeadLetterQueue').MessageRetentionPeriod).toBe(7 * 86_400);
  });

  test('a consumer counts as stopped only after longer than it may be busy or its group may be blocked', () => {
    // The function's timeout is 300 s.
    expect(properties(tuned, 'OnPalletSlowlyQueueStoppedAlarm').EvaluationPeriods).toBe(6);
    // The group's first message may be tried again after maxRetryDelay, 400 s.
    expect(properties(tuned, 'OnPalletInOrderQueueStoppedAlarm').EvaluationPeriods).toBe(8);
  });

  test('the longest delay between attempts, and what replays are for', () => {
    expect(properties(tuned, 'OnPalletLambdaFunction').Environment).toMatchObject({
      Variables: { MILLRACE_MAX_RETRY_DELAY: '3600', MILLRACE_REPLAYS: 'rebuild' },
    });
  });

  test('FIFO: queue and dead-letter queue, but a standard queue for the rule, and no batching window', () => {
    expect(properties(tuned, 'OnPalletInOrderQueue')).toMatchObject({
      QueueName: 'millrace-tuned-dev-on-pallet-in-order.fifo',
      FifoQueue: true,
      ContentBasedDeduplication: true,
    });
    expect(properties(tuned, 'OnPalletInOrderDeadLetterQueue')).toMatchObject({
      QueueName: 'millrace-tuned-dev-on-pallet-in-order-dlq.fifo',
      FifoQueue: true,
      RedriveAllowPolicy: {
        sourceQueueArns: [{ 'Fn::Sub': expect.stringMatching(/:millrace-tuned-dev-on-pallet-in-order\.fifo$/) }],
      },
    });
    expect(properties(tuned, 'OnPalletInOrderRuleDeadLetterQueue')).not.toHaveProperty('FifoQueue');
    expect(properties(tuned, 'OnPalletInOrderRule').Targets).toMatchObject([
      { SqsParameters: { MessageGroupId: 'pallets' } },
    ]);
    expect(properties(tuned, 'OnPalletInOrderEventSourceMapping')).not.toHaveProperty('MaximumBatchingWindowInSeconds');
  });
});

describe('roles', () => {
  const logs = (name: string) => ({
    Effect: 'Allow',
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: {
      'Fn::Sub': `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${name}:*`,
    },
  });
  const allow = (Action: string[], Resource: unknown) => ({ Effect: 'Allow', Action, Resource });

  test('every function has its own and the shared one is gone', () => {
    expect(shop.template.Resources).not.toHaveProperty('IamRoleLambdaExecution');
    expect(tuned.template.Resources).not.toHaveProperty('IamRoleLambdaExecution');
    for (const id of ['PutShelf', 'OnShelfFilled', 'Relay']) {
      expect(properties(shop, `${id}LambdaFunction`).Role).toEqual(arn(`${id}Role`));
    }
  });

  test('iamRoleStatements are all an HTTP function gets besides its log group', () => {
    expect(statements(shop, 'PutShelfRole')).toEqual([
      logs('millrace-shop-dev-putShelf'),
      allow(['dynamodb:PutItem'], arn('Table')),
    ]);
  });

  test('a consumer may empty its queue, defer messages in it and fill its dead-letter queue', () => {
    expect(statements(shop, 'OnShelfFilledRole')).toEqual([
      logs('millrace-shop-dev-onShelfFilled'),
      allow(
        [
          'sqs:ReceiveMessage',
          'sqs:DeleteMessage',
          'sqs:GetQueueAttributes',
          'sqs:ChangeMessageVisibility',
          'sqs:SendMessage',
        ],
        arn('OnShelfFilledQueue'),
      ),
      allow(['sqs:SendMessage'], arn('OnShelfFilledDeadLetterQueue')),
    ]);
  });

  test('a consumer of a FIFO queue defers nothing', () => {
    expect(statements(tuned, 'OnPalletInOrderRole')).not.toContainEqual(
      expect.objectContaining({ Action: expect.arrayContaining(['sqs:ReceiveMessage', 'sqs:SendMessage']) }),
    );
  });

  test('a relay may read its stream and emit its own events, nothing else', () => {
    expect(statements(shop, 'RelayRole')).toEqual([
      logs('millrace-shop-dev-relay'),
      allow(['dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:DescribeStream', 'dynamodb:ListStreams'], {
        'Fn::GetAtt': ['Table', 'StreamArn'],
      }),
      allow(['sqs:SendMessage'], arn('RelayFailures')),
      {
        ...allow(['events:PutEvents'], { 'Fn::ImportValue': 'millrace-dev:EventBusArn' }),
        Condition: {
          StringEquals: {
            'events:source': ['millrace.shop'],
            // The last one may stand in the table since the relay emitted that version.
            'events:detail-type': ['ShelfFilled.v1', 'ShelfEmptied.v1', 'ShelfCounted.v2', 'ShelfCounted.v1'],
          },
        },
      },
      {
        ...allow(['events:PutEvents'], { 'Fn::ImportValue': 'millrace-dev:AnalyticsBusArn' }),
        Condition: { StringEquals: { 'events:source': ['millrace.shop'], 'events:detail-type': ['ShelfFilled.v1'] } },
      },
      // Its contract lets the id of a person leave as a pseudonym.
      allow(['kms:GenerateMac'], { 'Fn::ImportValue': 'millrace-dev:PseudonymKeyArn' }),
    ]);
    expect(properties(shop, 'RelayLambdaFunction').Environment).toMatchObject({
      Variables: {
        MILLRACE_EVENT_BUS: { 'Fn::ImportValue': 'millrace-dev:EventBusName' },
        MILLRACE_ANALYTICS_BUS: { 'Fn::ImportValue': 'millrace-dev:AnalyticsBusName' },
        MILLRACE_PSEUDONYM_KEY_ARN: { 'Fn::ImportValue': 'millrace-dev:PseudonymKeyArn' },
      },
    });
    expect(resource(shop, 'RelayEventSourceMappingDynamodbTable').DependsOn).toEqual(['RelayRole']);
  });

  test('no other function has the key of pseudonyms', () => {
    const { RelayRole: _, RelayLambdaFunction: __, ...others } = shop.template.Resources ?? {};
    expect(JSON.stringify(others)).not.toMatch(/GenerateMac|PseudonymKey/);
  });

  test('tracing is allowed where it is on, logging is not where it is off', () => {
    expect(statements(tuned, 'OnPalletInOrderRole')[0]).toEqual(
      allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], '*'),
    );
  });

  test("a function's own role stays, and a condition goes with its function", () => {
    expect(tuned.template.Resources).not.toHaveProperty('WithItsOwnRoleRole');
    expect(properties(tuned, 'WithItsOwnRoleLambdaFunction').Role).toBe('arn:aws:iam::000000000000:role/theirs');
    expect(resource(tuned, 'FromQueueRole').Condition).toBe('IsProd');
    expect(statements(tuned, 'FromQueueRole')).toContainEqual(
      allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], arn('Jobs')),
    );
  });
});

describe('mistakes fail the build and name file and key', () => {
  const consume = (options: object, definition: object = {}) => ({
    onShelfFilled: {
      handler: 'handler.handler',
      events: [{ consume: { events: ['ShelfFilled.v1'], ...options } }],
      ...definition,
    },
  });
  const at = 'functions.onShelfFilled.events[0].consume';
  const platform = {
    eventBusName: 'b',
    eventBusArn: 'arn:aws:events:us-east-1:000000000000:event-bus/b',
    analyticsBusName: 'b-analytics',
    analyticsBusArn: 'arn:aws:events:us-east-1:000000000000:event-bus/b-analytics',
    pseudonymKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/k',
    alarmTopicArn: 'a',
  };

  const mistakes: [
    title: string,
    functions: object,
    message: string | RegExp,
    custom?: object | undefined,
    resources?: object,
  ][] = [
    [
      'an unknown event',
      consume({ events: ['ShelfFilled.v1', 'ShelfFiled.v1'] }),
      `${at}.events[1]: no contract defines ShelfFiled.v1. Did you mean ShelfFilled.v1? Known events: `,
    ],
    [
      'an event that is not on the analytics bus',
      consume({ bus: 'analytics', events: ['ShelfEmptied.v1'] }),
      `${at}.events[0]: ShelfEmptied.v1 is not on the analytics bus: its contract declares no analytics`,
    ],
    [
      'a schedule that would have to make a variant',
      { later: { handler: 'handler.handler', schedules: ['ShelfFilled.v1'] } },
      'functions.later.schedules[0]: ShelfFilled.v1 declares analytics, but only relays make variants',
    ],
    ['a bus that is not there', consume({ bus: 'audit' }), /consume\.bus': must be equal to one of the allowed values/],
    ['a malformed event name', consume({ events: ['shelf filled'] }), /consume\.events\.0': must match pattern/],
    ['no event', consume({ events: [] }), /consume\.events': must NOT have fewer than 1 items/],
    ['an event twice', consume({ events: ['ShelfFilled.v1', 'ShelfFilled.v1'] }), `${at}.events[1]: ShelfFilled.v1 is`],
    ['an unknown option', consume({ batchsize: 5 }), /consume': unrecognized property 'batchsize'/],
    [
      "another service's event",
      { relay: { handler: 'handler.handler', emits: ['ShelfEmptied.v1', 'PalletArrived.v1'] } },
      'functions.relay.emits[1]: PalletArrived.v1 belongs to warehouse: shop may not emit it',
    ],
    [
      "another service's event on a schedule",
      { timer: { handler: 'handler.handler', schedules: ['PalletArrived.v1'] } },
      'functions.timer.schedules[0]: PalletArrived.v1 belongs to warehouse: shop may not emit it',
    ],
    [
      'a role of schedules whose name would be cut',
      { [`timer${'Shelf'.repeat(3)}`]: { handler: 'handler.handler', schedules: ['ShelfEmptied.v1'] } },
      /^functions\.timer(Shelf){3}\.schedules: at stage \w+ the role would be called /,
    ],
    [
      'a role of its own beside schedules',
      { timer: { handler: 'handler.handler', role: 'arn', schedules: ['ShelfEmptied.v1'] } },
      'functions.timer.role: cannot be combined with schedules',
    ],
    [
      'an event beside the version that takes its place',
      {
        relay: { handler: 'handler.handler', emits: ['ShelfFilled.v1', 'ShelfCounted.v1'] },
        newRelay: { handler: 'handler.handler', emits: ['ShelfCounted.v2'] },
      },
      'functions.relay.emits[1]: ShelfCounted.v1 may not be emitted beside ShelfCounted.v2, which upcasts it',
    ],
    [
      'two versions where one stands for both',
      consume({ events: ['ShelfFilled.v1', 'ShelfCounted.v1', 'ShelfCounted.v2'] }),
      `${at}.events[1]: ShelfCounted.v2 stands for ShelfCounted.v1 too: leave the older one out`,
    ],
    [
      'two consumes',
      consume({}, { events: [1, 2].map(() => ({ consume: { events: ['ShelfFilled.v1'] } })) }),
      'functions.onShelfFilled.events[1].consume: a function has one queue',
    ],
    ['a big batch at once', consume({ batchSize: 11 }), `${at}.batchSize: is 11: above 10, Lambda wants a batchWindow`],
    [
      'a big FIFO batch',
      consume({ batchSize: 11, fifo: true }),
      `${at}.batchSize: is 11, but a FIFO queue hands out 10`,
    ],
    [
      'a FIFO window',
      consume({ batchWindow: 1, fifo: true }),
      `${at}.batchWindow: a FIFO queue has no batching window`,
    ],
    [
      'an endless window',
      consume({ batchWindow: 301 }),
      `${at}.batchWindow: is 301, but must be from 0 to 300 seconds`,
    ],
    [
      'no concurrency',
      consume({ maximumConcurrency: 1 }),
      `${at}.maximumConcurrency: is 1, but must be from 2 to 1000`,
    ],
    ['too much of it', consume({ maximumConcurrency: 1001 }), `${at}.maximumConcurrency: is 1001, but must be from 2`],
    ['no receive', consume({ maxReceiveCount: 0 }), `${at}.maxReceiveCount: is 0, but must be from 1 to 1000`],
    ['a group without FIFO', consume({ messageGroupId: 'x' }), `${at}.messageGroupId: only a FIFO queue has message`],
    [
      'a dead-letter queue that forgets sooner',
      consume({ retentionDays: 14 }),
      `${at}.retentionDays: is 14, but must be from 1 to 13 days (a dead-letter queue keeps 14 at most)`,
    ],
    [
      'attempts that outlive the message',
      consume({ retentionDays: 1, maxReceiveCount: 16 }, { timeout: 900 }),
      `${at}.maxReceiveCount: 16 receives, 5400 s apart (the longer of the visibility timeout, 5400 s: 6 × the function `,
    ],
    [
      'delays that outlive the message',
      consume({ retentionDays: 1, maxRetryDelay: 17_280 }),
      `${at}.maxRetryDelay: 5 receives, 17280 s apart (the longer of the visibility timeout, 60 s: 6 × the function `,
    ],
    ['no delay', consume({ maxRetryDelay: 0 }), `${at}.maxRetryDelay: is 0, but must be from 1 to 42300 seconds`],
    [
      'a delay SQS does not have',
      consume({ maxRetryDelay: 42_301 }),
      `${at}.maxRetryDelay: is 42301, but must be from 1 to 42300 seconds`,
    ],
    [
      'an unknown mode of replays',
      consume({ replays: 'twice' }),
      /consume\.replays': must be equal to one of the allowed values \[ignore, handle, rebuild\]/,
    ],
    ['an impossible timeout', consume({}, { timeout: 901 }), /onShelfFilled\.timeout': must be <= 900/],
    [
      'an alarm after the end',
      consume({ ageAlarm: 400_000 }),
      `${at}.ageAlarm: is 400000, but must be from 60 to 345600`,
    ],
    [
      'a filter without a list',
      consume({ filter: { data: { shelfId: 'a' } } }),
      `${at}.filter.data.shelfId: must be a list of the values that match, e.g. ["a"]`,
    ],
    ['an empty filter', consume({ filter: { data: {} } }), `${at}.filter.data: an event pattern cannot be empty`],
    [
      'an unknown operator',
      consume({ filter: { data: { pieces: [{ greater: 3 }] } } }),
      `${at}.filter.data.pieces[0]: unknown operator "greater"`,
    ],
    [
      'a pattern over the quota',
      consume({ filter: { data: { shelfId: ['x'.repeat(2048)] } } }),
      /filter: the rule's pattern would have 21\d\d characters, but EventBridge allows 2048: .*rulePatternLength$/,
    ],
    [
      'a pattern over a raised quota',
      consume({ filter: { data: { shelfId: ['x'.repeat(4096)] } } }),
      /filter: the rule's pattern would have 41\d\d characters, but EventBridge allows 4096: /,
      { consumers: { ...platform, rulePatternLength: 4096 } },
    ],
    [
      'a quota that AWS does not grant',
      consume({}),
      'custom.consumers.rulePatternLength: is 4097, but must be from 2048 to 4096 characters',
      { consumers: { ...platform, rulePatternLength: 4097 } },
    ],
    [
      'a message group that SQS takes and EventBridge does not',
      consume({ fifo: true, messageGroupId: 'x'.repeat(101) }),
      `${at}.messageGroupId: has 101 characters, but must be 1 to 100 letters, digits`,
    ],
    [
      'a message group with a space',
      consume({ fifo: true, messageGroupId: 'a b' }),
      `${at}.messageGroupId: has 3 characters, but must be 1 to 100 letters, digits and punctuation marks without`,
    ],
    [
      'a resource of its own that AWS would refuse',
      {},
      'Resources.Bus.Properties.Name: has 257 characters, but AWS allows 256',
      undefined,
      { Resources: { Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'b'.repeat(257) } } } },
    ],
    [
      'a name too long at a later stage',
      {
        [`on${'ShelfFilled'.repeat(3)}AtX`]: {
          handler: 'handler.handler',
          events: [{ consume: { events: ['ShelfFilled.v1'] } }],
        },
      },
      /: at stage staging the rule would be called millrace-shop-staging-on-shelf-filled-.* where AWS allows 64/,
    ],
    [
      'a function name too long',
      { [`put${'Shelf'.repeat(8)}`]: { handler: 'handler.handler' } },
      /: at stage staging the function would be called millrace-shop-staging-putShelf.* where AWS allows 64/,
    ],
    [
      "an emitting function whose role's name would be cut",
      { [`relay${'Shelf'.repeat(4)}s`]: { handler: 'handler.handler', emits: ['ShelfFilled.v1'] } },
      /: at stage staging the role would be called millrace-shop-staging-RelayShelf.*Role-x+, 6\d characters where AWS allows 64/,
    ],
    [
      'a role beside derived permissions',
      consume({}, { role: 'arn:aws:iam::000000000000:role/theirs' }),
      'functions.onShelfFilled.role: cannot be combined with consume',
    ],
    [
      'a Kinesis stream',
      {
        reader: {
          handler: 'handler.handler',
          events: [{ stream: { type: 'kinesis', arn: { 'Fn::GetAtt': ['Stream', 'Arn'] } } }],
        },
      },
      'functions.reader.events[0].stream: only DynamoDB streams',
    ],
    [
      'a stage that could be taken for another one',
      consume({}),
      'custom.consumers.stages: the stage "dev-eu" must be lower-case letters and digits',
      { consumers: { ...platform, stages: ['prod', 'dev-eu'] } },
    ],
    [
      'a dead-letter queue that keeps for too long',
      consume({}),
      'custom.consumers.deadLetterRetention: is 1209601, but must be from 60 to 1209600 seconds (14 days)',
      { consumers: { ...platform, deadLetterRetention: 1_209_601 } },
    ],
    [
      'no key for the pseudonyms of a contract',
      { relay: { handler: 'handler.handler', emits: ['ShelfFilled.v1'] } },
      'custom.consumers.pseudonymKeyArn: is missing',
      { consumers: { ...platform, pseudonymKeyArn: undefined } },
    ],
    [
      'no bus',
      consume({}),
      'custom.consumers.eventBusName: is missing',
      { consumers: { eventBusArn: 'arn:aws:events:us-east-1:000000000000:event-bus/b', alarmTopicArn: 'a' } },
    ],
  ];
  const directory = (index: number) => join(scratch, `mistake-${index}`);
  let lines: string[] = [];

  beforeAll(async () => {
    mistakes.forEach(([, functions, , custom, resources], index) => {
      const common = '${file(../../../../serverless.common.yml)';
      mkdirSync(join(directory(index), 'events'), { recursive: true });
      writeFileSync(join(directory(index), 'handler.ts'), 'export const handler = async () => undefined;\n');
      writeFileSync(
        join(directory(index), 'events', 'index.ts'),
        `export * from '../../../fixtures/shop/events/index.ts';\n`,
      );
      const configuration = {
        service: 'millrace-shop',
        configValidationMode: 'error',
        plugins: ['@millrace/serverless-consumers'],
        params: `\${file(../../../../serverless.stages.yml)}`,
        provider: `${common}:provider}`,
        custom: custom ?? `${common}:custom}`,
        functions,
        resources,
      };
      writeFileSync(join(directory(index), 'serverless.yml'), JSON.stringify(configuration));
    });
    const error: unknown = await pack(mistakes.map((_, index) => directory(index))).catch((reason: unknown) => reason);
    lines = String(error instanceof Error ? error.message : 'nothing failed').split('\n');
  });

  afterAll(() => {
    mistakes.forEach((_, index) => {
      rmSync(directory(index), { recursive: true, force: true });
    });
  });

  test('one line for each of them', () => {
    expect(lines).toHaveLength(mistakes.length);
  });

  test.each(mistakes.map(([title, , message], index) => [title, message, index] as const))(
    '%s',
    (_, message, index) => {
      const file = `libs/serverless-consumers/.millrace/mistake-${index}/serverless.yml: `;
      const line = lines.find((text) => text.startsWith(file))?.slice(file.length);
      if (typeof message === 'string') expect(line?.slice(0, message.length)).toBe(message);
      else expect(line).toMatch(message);
    },
  );
});
