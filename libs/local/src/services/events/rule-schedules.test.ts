import { beforeEach, describe, expect, test } from '@jest/globals';
import { type EventsCloud, eventsCloud } from '../../../fixtures/events-cloud.ts';
import { ManualClock } from '../../core/clock.ts';

const minute = 60_000;
const queue = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;
const ruleArn = (name: string) => `arn:aws:events:us-east-1:000000000000:rule/${name}`;

let clock: ManualClock;
let cloud: EventsCloud;
beforeEach(async () => {
  clock = new ManualClock(Date.parse('2026-03-01T10:00:30.500Z'));
  cloud = await eventsCloud({}, { clock });
});

async function schedule(ScheduleExpression: string, rule: object = {}) {
  await cloud.call('PutRule', { Name: 'tick', ScheduleExpression, ...rule });
  await cloud.call('PutTargets', { Rule: 'tick', Targets: [{ Id: 'q', Arn: queue('ticks') }] });
}

const times = () => cloud.received('ticks').map((body) => String(JSON.parse(body).time));

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
describe('a rule with a schedule', () => {
  test('sends its targets an event of AWS', async () => {
    await schedule('rate(1 minute)');
    await clock.advance(minute);
    expect(cloud.received('ticks').map((body) => JSON.parse(body))).toEqual([
      {
        version: '0',
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        'detail-type': 'Scheduled Event',
        source: 'aws.events',
        account: '000000000000',
        time: '2026-03-01T10:01:30Z',
        region: 'us-east-1',
        resources: [ruleArn('tick')],
        detail: {},
      },
    ]);
  });

  test('runs at a rate that is counted from when it got the schedule', async () => {
    await schedule('rate(2 minutes)');
    await clock.advance(minute);
    await cloud.call('PutRule', { Name: 'tick', ScheduleExpression: 'rate(2 minutes)', Description: 'again' });
    await clock.advance(3 * minute);
    expect(times()).toEqual(['2026-03-01T10:02:30Z', '2026-03-01T10:04:30Z']);
    await cloud.call('PutRule', { Name: 'tick', ScheduleExpression: 'rate(1 hour)' });
    await clock.advance(60 * minute);
    expect(times().slice(2)).toEqual(['2026-03-01T11:04:30Z']);
  });

  test('runs at the times of its cron expression, in UTC', async () => {
    await schedule('cron(0/15 18 ? * MON-FRI *)');
    await clock.set(Date.parse('2026-03-02T18:35:00Z'));
    expect(times()).toEqual(['2026-03-02T18:00:00Z', '2026-03-02T18:15:00Z', '2026-03-02T18:30:00Z']);
  });

  test('does not run while it is disabled, nor after its deletion', async () => {
    await schedule('rate(1 minute)', { State: 'DISABLED' });
    await clock.advance(2 * minute);
    expect(times()).toEqual([]);
    await cloud.call('EnableRule', { Name: 'tick' });
    await clock.advance(minute);
    await cloud.call('DisableRule', { Name: 'tick' });
    await clock.advance(minute);
    expect(times()).toEqual(['2026-03-01T10:03:30Z']);
    await cloud.call('EnableRule', { Name: 'tick' });
    await cloud.call('RemoveTargets', { Rule: 'tick', Ids: ['q'] });
    await cloud.call('DeleteRule', { Name: 'tick' });
    await clock.advance(5 * minute);
    expect(times()).toHaveLength(1);
  });

  test('sends its event to no other rule of the bus', async () => {
    await schedule('rate(1 minute)');
    await cloud.call('PutRule', { Name: 'all', EventPattern: '{"source":["aws.events"]}' });
    await cloud.call('PutTargets', { Rule: 'all', Targets: [{ Id: 'q', Arn: queue('all') }] });
    await clock.advance(minute);
    expect([times().length, cloud.received('all').length]).toEqual([1, 0]);
  });

  test('may have a pattern, too', async () => {
    await schedule('rate(1 minute)', { EventPattern: '{"source":["shop"]}' });
    const Entries = [{ Source: 'shop', DetailType: 'Opened', Detail: '{}' }];
    await cloud.call('PutEvents', { Entries });
    await clock.advance(minute);
    expect(cloud.received('ticks').map((body) => JSON.parse(body).source)).toEqual(['shop', 'aws.events']);
  });

  test('can transform its event', async () => {
    await cloud.call('PutRule', { Name: 'tick', ScheduleExpression: 'rate(1 day)' });
    const Targets = [{ Id: 'q', Arn: queue('ticks'), Input: '{"report":"daily"}' }];
    await cloud.call('PutTargets', { Rule: 'tick', Targets });
    await clock.advance(24 * 60 * minute);
    expect(cloud.received('ticks')).toEqual(['{"report":"daily"}']);
  });

  test.each([
    ...[
      'rate(1 minutes)',
      'rate(2 minute)',
      'rate(0 minutes)',
      'rate(10 seconds)',
      'rate(5 MINUTES)',
      ' rate(5 minutes)',
    ],
    ...['cron(0 1 * * * *)', 'cron(7 20 * * NOT *)', 'cron(71 8 1 * ? *)', 'cron(INVALID)', 'at(2026-03-01T10:00:00)'],
  ])('is refused with %s', async (ScheduleExpression) => {
    await expect(cloud.call('PutRule', { Name: 'tick', ScheduleExpression })).rejects.toMatchObject({
      code: 'ValidationException',
      message: 'Parameter ScheduleExpression is not valid.',
    });
  });

  test('is refused on any bus but the default one', async () => {
    await cloud.call('CreateEventBus', { Name: 'shop' });
    const input = { Name: 'tick', EventBusName: 'shop', ScheduleExpression: 'rate(1 minute)' };
    await expect(cloud.call('PutRule', input)).rejects.toMatchObject({
      message: 'ScheduleExpression is supported only on the default event bus.',
    });
  });
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html
test('a rule of a template runs on its schedule', async () => {
  cloud = await eventsCloud(
    {
      Tick: {
        Type: 'AWS::Events::Rule',
        Properties: {
          Name: 'tick',
          ScheduleExpression: 'rate(5 minutes)',
          Targets: [{ Id: 'q', Arn: queue('ticks') }],
        },
      },
    },
    { clock },
  );
  await clock.advance(5 * minute);
  expect(times()).toEqual(['2026-03-01T10:05:30Z']);
});
