import { afterEach, describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../core/clock.ts';
import { DeliveryError } from '../../core/delivery.ts';
import { EventBridge, type EventBridgeOptions } from './event-bridge.ts';

const queue = 'arn:aws:sqs:us-east-1:000000000000:orders';
const deadLetterQueue = 'arn:aws:sqs:us-east-1:000000000000:orders-rule-dlq';
const ruleArn = 'arn:aws:events:us-east-1:000000000000:rule/shop/placed';

const opened: EventBridge[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((bridge) => bridge.close()));
});

/** A bridge with bus `shop`, and rule `placed` for detail-type OrderPlaced with one target. */
async function bridge(target: object = {}, options: Partial<EventBridgeOptions> = {}) {
  const delivered: { target: string; group: string | undefined; payload: string; ruleArn: string }[] = [];
  const dead: { queueArn: string; body: string; attributes: Record<string, string> }[] = [];
  const warnings: string[] = [];
  const eventBridge = new EventBridge({
    accountId: '000000000000',
    region: 'us-east-1',
    deliver: async ({ Arn, SqsParameters }, payload, context) => {
      delivered.push({ target: Arn, group: SqsParameters?.MessageGroupId, payload, ruleArn: context.ruleArn });
    },
    sendToDeadLetterQueue: async (queueArn, body, attributes) => {
      dead.push({ queueArn, body, attributes });
    },
    onWarning: (message) => warnings.push(message),
    retryDelay: () => 0,
    ...options,
  });
  opened.push(eventBridge);
  await eventBridge.handle('CreateEventBus', { Name: 'shop' });
  const EventPattern = '{"detail-type":["OrderPlaced"]}';
  await eventBridge.handle('PutRule', { Name: 'placed', EventBusName: 'shop', EventPattern });
  const Targets = [{ Id: 'queue', Arn: queue, ...target }];
  await eventBridge.handle('PutTargets', { Rule: 'placed', EventBusName: 'shop', Targets });
  return { eventBridge, delivered, dead, warnings };
}

const entry = { EventBusName: 'shop', Source: 'shop.orders', DetailType: 'OrderPlaced', Detail: '{"orderId":"o-1"}' };

interface PutEventsOutput {
  FailedEntryCount: number;
  Entries: { EventId?: string; ErrorCode?: string; ErrorMessage?: string }[];
}

async function put(eventBridge: EventBridge, ...Entries: object[]): Promise<PutEventsOutput> {
  return (await eventBridge.handle('PutEvents', { Entries })) as PutEventsOutput;
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('The condition did not come true within 5 s');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
describe('PutEvents', () => {
  test('delivers the envelope to the targets of matching rules before it answers', async () => {
    const { eventBridge, delivered } = await bridge(
      {},
      { clock: new ManualClock(Date.parse('2026-03-01T10:00:00.999Z')) },
    );
    const Detail = '{ "price": 1.10, "big": 9007199254740993, "a": 1, "a": 2, "é": "\\u00e9" }';
    const { FailedEntryCount, Entries } = await put(eventBridge, { ...entry, Detail, Resources: ['arn:r'] });
    expect(FailedEntryCount).toBe(0);
    expect(delivered).toEqual([
      {
        target: queue,
        group: undefined,
        ruleArn,
        payload:
          `{"version":"0","id":"${Entries[0]?.EventId}","detail-type":"OrderPlaced","source":"shop.orders",` +
          '"account":"000000000000","time":"2026-03-01T10:00:00Z","region":"us-east-1","resources":["arn:r"],' +
          `"detail":${Detail}}`,
      },
    ]);
  });

  test('answers only when the first attempt has ended', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { eventBridge } = await bridge({}, { deliver: () => promise });
    const ended: string[] = [];
    const answer = put(eventBridge, entry).then(() => ended.push('PutEvents'));
    setImmediate(() => {
      ended.push('delivery');
      resolve();
    });
    await answer;
    expect(ended).toEqual(['delivery', 'PutEvents']);
  });

  test.each<[string, unknown]>([
    ['seconds since the epoch', 1_767_225_600.75],
    ['ISO 8601', '2026-01-01T00:00:00.750Z'],
  ])('takes Time as %s', async (_form, Time) => {
    const { eventBridge, delivered } = await bridge();
    await put(eventBridge, { ...entry, Time });
    expect(JSON.parse(delivered[0]?.payload ?? '')).toMatchObject({ time: '2026-01-01T00:00:00Z' });
  });

  test('answers for each entry, in order, and takes the good ones', async () => {
    const { eventBridge, delivered } = await bridge();
    const required = (name: string) => ({
      ErrorCode: 'InvalidArgument',
      ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
    });
    const malformed = { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
    const answer = await put(
      eventBridge,
      entry,
      { ...entry, Source: undefined },
      { ...entry, DetailType: '' },
      { ...entry, Detail: undefined },
      { ...entry, Detail: '{"a":' },
      { ...entry, Detail: '[1]' },
      { ...entry, Source: 'aws.ec2' },
      entry,
    );
    const accepted = { EventId: expect.any(String) };
    expect(answer).toEqual({
      FailedEntryCount: 6,
      Entries: [
        accepted,
        required('Source'),
        required('DetailType'),
        required('Detail'),
        malformed,
        malformed,
        { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' },
        accepted,
      ],
    });
    expect(delivered).toHaveLength(2);
  });

  test('refuses an entry whose detail-type is too long, and a call with a resource that is', async () => {
    const { eventBridge } = await bridge();
    const { FailedEntryCount, Entries } = await put(
      eventBridge,
      { ...entry, DetailType: 'x'.repeat(129) },
      { ...entry, DetailType: 'x'.repeat(128), Resources: ['x'.repeat(2048), ''] },
    );
    expect(FailedEntryCount).toBe(1);
    expect(Entries).toMatchObject([
      { ErrorCode: 'InvalidArgument', ErrorMessage: expect.stringContaining('DetailType is not valid') },
      { EventId: expect.any(String) },
    ]);
    await expect(put(eventBridge, entry, { ...entry, Resources: ['arn', 'x'.repeat(2049)] })).rejects.toMatchObject({
      code: 'ValidationException',
    });
  });

  test('accepts an event for a bus that does not exist, and delivers it nowhere', async () => {
    const { eventBridge, delivered, warnings } = await bridge();
    const answer = await put(eventBridge, { ...entry, EventBusName: 'nowhere' });
    expect(answer).toEqual({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }] });
    expect([delivered, warnings]).toEqual([[], []]);
  });

  test.each(['shop', 'arn:aws:events:us-east-1:000000000000:event-bus/shop'])('knows the bus as %s', async (name) => {
    const { eventBridge, delivered } = await bridge();
    await put(eventBridge, { ...entry, EventBusName: name });
    expect(delivered).toHaveLength(1);
  });

  test.each(['default', 'arn:aws:events:us-east-1:999999999999:event-bus/shop'])(
    'does not take %s for it',
    async (name) => {
      const { eventBridge, delivered } = await bridge();
      await put(eventBridge, { ...entry, EventBusName: name });
      expect(delivered).toHaveLength(0);
    },
  );

  test.each([
    ['no entry', []],
    ['11 entries', Array(11).fill(entry)],
  ])('refuses %s', async (_what, entries) => {
    const { eventBridge, delivered } = await bridge();
    await expect(put(eventBridge, ...entries)).rejects.toMatchObject({ code: 'ValidationException' });
    expect(delivered).toEqual([]);
  });

  test('counts bytes of time, source, detail-type, detail and resources, 1 MB in all entries', async () => {
    const { eventBridge, delivered } = await bridge();
    const fixed = { EventBusName: 'shop', Source: 's', DetailType: 'OrderPlaced', Resources: ['ré'], Time: 1 };
    const counted = 1 + 11 + 3 + 14;
    const padded = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`;
    const half = 512 * 1024;
    const first = { ...fixed, Detail: padded(half - counted) };
    await put(eventBridge, first, { ...fixed, Detail: padded(half - counted) });
    expect(delivered).toHaveLength(2);
    await expect(put(eventBridge, first, { ...fixed, Detail: padded(half - counted + 1) })).rejects.toMatchObject({
      code: 'ValidationException',
      message: 'Total size of the entries in the request is over the limit.',
    });
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-related-service-xray.html
describe('a trace header', () => {
  const valid = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Reemission=1';

  test.each<[string, string | undefined, string | undefined]>([
    ['goes to the target', valid, valid],
    ['may be missing', undefined, undefined],
    ['that X-Ray would not take is dropped', 'Root=1', undefined],
  ])('%s', async (_what, TraceHeader, expected) => {
    const seen: [string, string | undefined][] = [];
    const deliver: EventBridgeOptions['deliver'] = async (_target, payload, { traceHeader }) => {
      seen.push([payload, traceHeader]);
    };
    const { eventBridge } = await bridge({}, { deliver });
    expect(await put(eventBridge, { ...entry, TraceHeader })).toMatchObject({ FailedEntryCount: 0 });
    expect(seen).toEqual([[expect.not.stringContaining('Root'), expected]]);
  });

  test('goes to the dead-letter queue', async () => {
    const seen: (string | undefined)[] = [];
    const { eventBridge } = await bridge(
      { DeadLetterConfig: { Arn: deadLetterQueue } },
      {
        deliver: () => Promise.reject(new DeliveryError('NO_RESOURCE', 'gone', false)),
        sendToDeadLetterQueue: async (_queue, _body, _attributes, { traceHeader }) => {
          seen.push(traceHeader);
        },
      },
    );
    await put(eventBridge, { ...entry, TraceHeader: valid });
    expect(seen).toEqual([valid]);
  });

  test('of more than 500 characters is refused', async () => {
    const { eventBridge } = await bridge();
    await expect(put(eventBridge, { ...entry, TraceHeader: `${valid};${'x'.repeat(500)}` })).rejects.toMatchObject({
      code: 'ValidationException',
    });
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html
describe('rules', () => {
  test('an event goes to every target of every rule that matches and is enabled', async () => {
    const { eventBridge, delivered } = await bridge();
    const rule = async (Name: string, EventPattern: string, State?: string) => {
      await eventBridge.handle('PutRule', { Name, EventBusName: 'shop', EventPattern, State });
      const Targets = ['1', '2'].map((Id) => ({ Id, Arn: `arn:aws:sqs:us-east-1:000000000000:${Name}-${Id}` }));
      await eventBridge.handle('PutTargets', { Rule: Name, EventBusName: 'shop', Targets });
    };
    await rule('all', '{"source":[{"prefix":"shop."}]}');
    await rule('other', '{"source":["other"]}');
    await rule('off', '{"source":["shop.orders"]}', 'DISABLED');
    await put(eventBridge, entry);
    const names = () =>
      delivered
        .splice(0)
        .map(({ target }) => target.replace(/.*:/, ''))
        .sort();
    expect(names()).toEqual(['all-1', 'all-2', 'orders']);

    await eventBridge.handle('EnableRule', { Name: 'off', EventBusName: 'shop' });
    await eventBridge.handle('DisableRule', { Name: 'all', EventBusName: 'shop' });
    await eventBridge.handle('RemoveTargets', { Rule: 'placed', EventBusName: 'shop', Ids: ['queue'] });
    await put(eventBridge, entry);
    expect(names()).toEqual(['off-1', 'off-2']);
  });

  test('the message group can be a value of the event', async () => {
    const target = { Arn: `${queue}.fifo`, SqsParameters: { MessageGroupId: '$.detail.orderId' } };
    const { eventBridge, delivered, warnings } = await bridge(target);
    await put(eventBridge, entry, { ...entry, Detail: '{}' });
    expect(delivered).toMatchObject([{ group: 'o-1' }]);
    expect(warnings).toEqual([
      expect.stringContaining('INVALID_PARAMETER: The event has no value at $.detail.orderId'),
    ]);
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
describe('a target that fails', () => {
  const throttled = new DeliveryError('THROTTLING', 'Slow down', true);
  const gone = new DeliveryError('NO_RESOURCE', 'The queue does not exist', false);

  /** Fails with each error in turn, then succeeds. Counts the calls. */
  function failing(...errors: unknown[]) {
    const calls: string[] = [];
    const deliver: EventBridgeOptions['deliver'] = async (_target, payload) => {
      calls.push(payload);
      if (calls.length <= errors.length) throw errors[calls.length - 1];
    };
    return { calls, deliver };
  }

  test('gets the same payload again until it takes it', async () => {
    const { calls, deliver } = failing(throttled, new Error('connection refused'));
    const waited: number[] = [];
    const retryDelay = (retry: number) => {
      waited.push(retry);
      return 0;
    };
    const { eventBridge, dead, warnings } = await bridge({}, { deliver, retryDelay });
    await put(eventBridge, entry);
    expect(calls).toHaveLength(1);
    await until(() => calls.length === 3);
    expect(new Set(calls).size).toBe(1);
    expect([waited, dead, warnings]).toEqual([[1, 2], [], []]);
  });

  test('for good: the event is in the dead-letter queue when PutEvents answers', async () => {
    const { deliver } = failing(gone);
    const target = { DeadLetterConfig: { Arn: deadLetterQueue }, Input: '"constant"' };
    const { eventBridge, dead, warnings } = await bridge(target, { deliver });
    const { FailedEntryCount, Entries } = await put(eventBridge, entry);
    expect(FailedEntryCount).toBe(0);
    expect(dead).toEqual([
      {
        queueArn: deadLetterQueue,
        body: expect.stringContaining(`"id":"${Entries[0]?.EventId}"`),
        attributes: {
          RULE_ARN: ruleArn,
          TARGET_ARN: queue,
          ERROR_CODE: 'NO_RESOURCE',
          ERROR_MESSAGE: 'The queue does not exist',
          RETRY_ATTEMPTS: '0',
        },
      },
    ]);
    expect(warnings).toEqual([]);
  });

  test('more often than its retry policy allows', async () => {
    const { calls, deliver } = failing(...Array(9).fill(throttled));
    const target = { DeadLetterConfig: { Arn: deadLetterQueue }, RetryPolicy: { MaximumRetryAttempts: 2 } };
    const { eventBridge, dead } = await bridge(target, { deliver });
    await put(eventBridge, entry);
    await until(() => dead.length > 0);
    expect(calls).toHaveLength(3);
    expect(dead[0]?.attributes).toEqual({
      RULE_ARN: ruleArn,
      TARGET_ARN: queue,
      ERROR_CODE: 'THROTTLING',
      ERROR_MESSAGE: 'Slow down',
      EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
      RETRY_ATTEMPTS: '2',
    });
  });

  test('185 retries are the default', async () => {
    const { calls, deliver } = failing(...Array(500).fill(throttled));
    const { eventBridge, dead } = await bridge({ DeadLetterConfig: { Arn: deadLetterQueue } }, { deliver });
    await put(eventBridge, entry);
    await until(() => dead.length > 0);
    expect(calls).toHaveLength(186);
    expect(dead[0]?.attributes).toMatchObject({ RETRY_ATTEMPTS: '185' });
  });

  test('for longer than an event may grow old', async () => {
    const clock = new ManualClock(1_000_000);
    const { calls, deliver } = failing(...Array(9).fill(throttled));
    const target = { DeadLetterConfig: { Arn: deadLetterQueue }, RetryPolicy: { MaximumEventAgeInSeconds: 60 } };
    const retryDelay = (retry: number) => (retry === 3 ? 90_000 : 1000);
    const { eventBridge, dead } = await bridge(target, { deliver, retryDelay, clock });
    await put(eventBridge, entry);
    await clock.advance(59_999);
    expect(dead).toEqual([]);
    await clock.advance(1);
    expect(calls).toHaveLength(3);
    expect(dead[0]?.attributes).toMatchObject({
      EXHAUSTED_RETRY_CONDITION: 'MaximumEventAgeInSeconds',
      RETRY_ATTEMPTS: '2',
    });
  });

  test('without a dead-letter queue: a warning says what is lost', async () => {
    const { eventBridge, warnings } = await bridge({}, { deliver: failing(gone).deliver });
    await put(eventBridge, entry);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^Rule placed could not deliver event .* to .*:orders \(NO_RESOURCE: .*no dead-letter queue/,
      ),
    ]);
  });

  test('with a dead-letter queue that fails too: a warning says what is lost', async () => {
    const { eventBridge, warnings } = await bridge(
      { DeadLetterConfig: { Arn: deadLetterQueue } },
      { deliver: failing(gone).deliver, sendToDeadLetterQueue: () => Promise.reject(new Error('no such queue')) },
    );
    await expect(put(eventBridge, entry)).resolves.toMatchObject({ FailedEntryCount: 0 });
    expect(warnings).toEqual([expect.stringMatching(/nor to its dead-letter queue .*no such queue/)]);
  });

  test('close stops the retries and says how many are lost', async () => {
    const clock = new ManualClock(0);
    const { calls, deliver } = failing(throttled, throttled);
    const { eventBridge, warnings } = await bridge({}, { deliver, clock });
    await put(eventBridge, entry, entry);
    await eventBridge.close();
    await clock.advance(86_400_000);
    expect(calls).toHaveLength(2);
    expect(warnings).toEqual(['2 event deliveries were waiting for a retry and are lost']);
  });

  test('close does not wait for a delivery under way, and says when it is lost', async () => {
    const { promise, reject } = Promise.withResolvers<void>();
    const { eventBridge, warnings } = await bridge({}, { deliver: () => promise });
    const answer = put(eventBridge, entry);
    await eventBridge.close();
    reject(throttled);
    await answer;
    expect(warnings).toEqual([expect.stringMatching(/^Event .* for .*:orders failed while stopping and is lost$/)]);
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html
describe('TestEventPattern', () => {
  const Event = JSON.stringify({
    ...{ id: '1', account: '000000000000', source: 'shop', time: '2026-01-01T00:00:00Z', region: 'us-east-1' },
    ...{ resources: [], 'detail-type': 'OrderPlaced', detail: { total: 5 } },
  });

  test.each([
    ['{"detail":{"total":[5]}}', true],
    ['{"detail":{"total":[6]}}', false],
  ])('%s: %s', async (EventPattern, Result) => {
    const { eventBridge } = await bridge();
    expect(await eventBridge.handle('TestEventPattern', { EventPattern, Event })).toEqual({ Result });
  });

  test.each([
    ['{"a":"x"}', '{}', 'InvalidEventPatternException', /"a" must be an object or an array/],
    ['{"a":["x"]}', '{', 'ValidationException', /Event is not valid/],
    ['{"a":["x"]}', '[]', 'ValidationException', /must be a JSON object/],
    ['{"a":["x"]}', '{"id":"1","time":"x"}', 'ValidationException', /account, source, region, resources, detail-type/],
  ])('%s on %s: %s', async (EventPattern, event, code, message) => {
    const { eventBridge } = await bridge();
    const answer = eventBridge.handle('TestEventPattern', { EventPattern, Event: event });
    await expect(answer).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

test('an operation it does not have', async () => {
  const { eventBridge } = await bridge();
  const answer = eventBridge.handle('CreateEndpoint', {});
  await expect(answer).rejects.toMatchObject({
    code: 'UnknownOperationException',
    message: 'EventBridge CreateEndpoint is not available on this machine',
  });
});
