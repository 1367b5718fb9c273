import { describe, expect, it } from '@jest/globals';
import { Cron as Croner } from 'croner';
import * as fc from 'fast-check';
import { Cron } from './cron.ts';
import { parseRuleSchedule, parseSchedulerExpression, type Schedule } from './schedule-expression.ts';
import { TimeZone } from './time-zone.ts';

const utc = new TimeZone('UTC');

function nextTimes(schedule: Schedule, after: string, count: number, origin = '2026-01-01T00:00:00Z'): string[] {
  const times: string[] = [];
  let time: number | undefined = Date.parse(after);
  while (times.length < count) {
    time = schedule.next(time, Date.parse(origin));
    if (time === undefined) break;
    times.push(new Date(time).toISOString().replace(':00.000Z', 'Z'));
  }
  return times;
}

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based */
describe('cron', () => {
  const from = '2026-01-01T00:00:00Z';

  it.each([
    ['15 10 ? * 6L 2022-2026', ['2026-01-30T10:15Z', '2026-02-27T10:15Z']],
    ['30 8 L * ? *', ['2026-01-31T08:30Z', '2026-02-28T08:30Z']],
    ['0 0 L-3 * ? *', ['2026-01-28T00:00Z', '2026-02-25T00:00Z']],
    ['0 0 LW * ? *', ['2026-01-30T00:00Z', '2026-02-27T00:00Z', '2026-03-31T00:00Z']],
    ['0 0 3W * ? *', ['2026-01-02T00:00Z', '2026-02-03T00:00Z', '2026-03-03T00:00Z']],
    // The nearest weekday to Saturday, 1 August is in the same month.
    ['0 0 1W 8 ? *', ['2026-08-03T00:00Z', '2027-08-02T00:00Z']],
    ['0 9 ? * 3#2 *', ['2026-01-13T09:00Z', '2026-02-10T09:00Z']],
    ['0 9 ? * MON#5 *', ['2026-03-30T09:00Z', '2026-06-29T09:00Z']],
    ['0 9 ? * L *', ['2026-01-03T09:00Z', '2026-01-10T09:00Z']],
    ['0/30 20-2 ? * MON-FRI *', ['2026-01-01T00:30Z', '2026-01-01T01:00Z', '2026-01-01T01:30Z', '2026-01-01T02:00Z']],
    ['5,35 14 * * ? *', ['2026-01-01T14:05Z', '2026-01-01T14:35Z', '2026-01-02T14:05Z']],
    ['0 0 29 FEB ? *', ['2028-02-29T00:00Z', '2032-02-29T00:00Z']],
    ['0 12 31 * ? 2026', ['2026-01-31T12:00Z', '2026-03-31T12:00Z']],
    ['10/20 0 1 1 ? 2027', ['2027-01-01T00:10Z', '2027-01-01T00:30Z', '2027-01-01T00:50Z']],
  ])('%s', (fields, expected) => {
    expect(nextTimes(parseSchedulerExpression(`cron(${fields})`), from, expected.length)).toEqual(expected);
  });

  it('has no next time when its years are over, or its date does not exist', () => {
    expect(nextTimes(parseSchedulerExpression('cron(0 0 1 1 ? 2025)'), from, 1)).toEqual([]);
    expect(nextTimes(parseSchedulerExpression('cron(0 0 30 2 ? *)'), from, 1)).toEqual([]);
  });

  it.each([
    ['0 0 * * * *', 'exactly one of Day-of-month and Day-of-week must be ?'],
    ['0 0 ? * ? *', 'exactly one of Day-of-month and Day-of-week must be ?'],
    ['0 3 * * *', 'a cron expression has 6 fields, not 5'],
    ['60 3 * * ? *', 'Minutes cannot be "60": use 0 to 59'],
    ['0 24 * * ? *', 'Hours cannot be "24": use 0 to 23'],
    ['0 0 ? * 0 *', 'Day-of-week cannot be "0": use 1 to 7'],
    ['0 0 ? * NOT *', 'Day-of-week cannot be "NOT": use 1 to 7'],
    ['0 0 ? * 2#6 *', 'Day-of-week cannot be "2#6": use 1 to 7'],
    ['0/0 0 * * ? *', 'Minutes cannot be "0/0": use 0 to 59'],
    ['0 0 L-31 * ? *', 'Day-of-month cannot be "L-31": use 1 to 31'],
    ['0 0 L5 * ? *', 'Day-of-month cannot be "L5": use 1 to 31'],
    ['1-2-3 0 * * ? *', 'Minutes cannot be "1-2-3": use 0 to 59'],
    ['0, 0 * * ? *', 'Minutes cannot be "": use 0 to 59'],
    ['0 0 1 1 ? 1969', 'Year cannot be "1969": use 1970 to 2199'],
  ])('refuses %s', (fields, message) => {
    expect(() => parseSchedulerExpression(`cron(${fields})`)).toThrow(message);
  });

  it('agrees with another implementation on values, ranges, steps, W and #', () => {
    const field = (minimum: number, maximum: number) => {
      const value = fc.integer({ min: minimum, max: maximum });
      const step = fc.integer({ min: 1, max: 7 });
      const range = fc.tuple(value, value).map(([one, other]) => [Math.min(one, other), Math.max(one, other)]);
      return fc.oneof(
        fc.constant('*'),
        value.map(String),
        fc.array(value, { minLength: 1, maxLength: 4 }).map((values) => values.join(',')),
        range.map(([from, to]) => `${from}-${to}`),
        fc.tuple(range, step).map(([[from, to], every]) => `${from}-${to}/${every}`),
        fc.tuple(value, step).map(([from, every]) => `${from}/${every}`),
      );
    };
    const days = fc.oneof(
      field(1, 31).map((day) => [day, '?']),
      fc.integer({ min: 1, max: 28 }).map((day) => [`${day}W`, '?']),
      field(1, 7).map((day) => ['?', day]),
      fc
        .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 4 }))
        .map(([day, nth]) => ['?', `${day}#${nth}`]),
      fc.integer({ min: 1, max: 7 }).map((day) => ['?', `${day}L`]),
    );
    const start = new Date('2026-02-26T23:10:00Z');
    fc.assert(
      fc.property(field(0, 59), field(0, 23), days, field(1, 12), (minute, hour, [date, weekday], month) => {
        const text = `${minute} ${hour} ${date} ${month} ${weekday} *`;
        const croner = new Croner(`0 ${text}`, {
          mode: '7-part',
          alternativeWeekdays: true,
          sloppyRanges: true,
          domAndDow: true,
          timezone: 'UTC',
        });
        const theirs = croner.nextRuns(4, start).map((date) => date.toISOString());
        const cron = new Cron(text);
        const ours: string[] = [];
        for (let time = cron.next(start.getTime(), utc); time !== undefined && ours.length < theirs.length; ) {
          ours.push(new Date(time).toISOString());
          time = cron.next(time, utc);
        }
        expect({ text, times: ours }).toEqual({ text, times: theirs });
      }),
      { numRuns: 150 },
    );
  });
});

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time */
describe('daylight saving', () => {
  const newYork = new TimeZone('America/New_York');

  it('skips a time that does not exist when clocks go forward', () => {
    // 8 March 2026: 01:59 is followed by 03:00.
    const schedule = parseSchedulerExpression('cron(30 2 * * ? *)', newYork);
    expect(nextTimes(schedule, '2026-03-07T00:00:00Z', 3)).toEqual([
      '2026-03-07T07:30Z',
      '2026-03-09T06:30Z',
      '2026-03-10T06:30Z',
    ]);
  });

  it('runs once at a time that comes twice when clocks go back', () => {
    // 1 November 2026: 01:59 is followed by 01:00.
    const schedule = parseSchedulerExpression('cron(30 1 * * ? *)', newYork);
    expect(nextTimes(schedule, '2026-10-31T12:00:00Z', 2)).toEqual(['2026-11-01T05:30Z', '2026-11-02T06:30Z']);
    const hourly = parseSchedulerExpression('cron(0 * * * ? *)', newYork);
    expect(nextTimes(hourly, '2026-11-01T04:30:00Z', 3)).toEqual([
      '2026-11-01T05:00Z',
      '2026-11-01T07:00Z',
      '2026-11-01T08:00Z',
    ]);
    // Asked in between, in the second 01:15: the next is still after the change.
    expect(nextTimes(schedule, '2026-11-01T06:15:00Z', 1)).toEqual(['2026-11-02T06:30Z']);
  });

  it('counts the days of a rate as 24 hours', () => {
    const schedule = parseSchedulerExpression('rate(1 day)', newYork);
    expect(nextTimes(schedule, '2026-03-07T14:00:00Z', 2, '2026-03-07T14:00:00Z')).toEqual([
      '2026-03-08T14:00Z',
      '2026-03-09T14:00Z',
    ]);
  });

  it('takes at(…) in the time zone', () => {
    const berlin = new TimeZone('Europe/Berlin');
    const from = '2026-01-01T00:00:00Z';
    expect(nextTimes(parseSchedulerExpression('at(2026-12-24T18:00:00)', berlin), from, 2)).toEqual([
      '2026-12-24T17:00Z',
    ]);
    expect(nextTimes(parseSchedulerExpression('at(2026-03-29T02:30:00)', berlin), from, 1)).toEqual([]);
    expect(nextTimes(parseSchedulerExpression('at(2026-10-25T02:30:00)', berlin), from, 1)).toEqual([
      '2026-10-25T00:30Z',
    ]);
  });
});

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html */
describe('expressions of Scheduler', () => {
  it('starts a rate at its origin and then keeps the distance', () => {
    const schedule = parseSchedulerExpression('rate(5 minutes)');
    expect(nextTimes(schedule, '2025-12-31T00:00:00Z', 3)).toEqual([
      '2026-01-01T00:00Z',
      '2026-01-01T00:05Z',
      '2026-01-01T00:10Z',
    ]);
  });

  it.each(['rate(1 minute)', 'rate(1 minutes)', 'rate(5 minute)', 'rate(2 days)'])('takes %s', (text) => {
    expect(parseSchedulerExpression(text).kind).toBe('rate');
  });

  it.each([
    'rate(30 seconds)',
    'rate(0 minutes)',
    'rate(-10 minutes)',
    'rate( 10 minutes )',
    'rate(10 minutess)',
    'rate(10 minutes foo)',
    'rate()',
    'at(2021-12-31)',
    'at(2021-12-31T23:59:59Z)',
    'at(2026-02-30T00:00:00)',
    'at(2026-01-01T24:00:00)',
    'cron(*/30 * * * * ? *)',
    'INVALID',
    ' rate(5 minutes)',
  ])('refuses %s', (text) => {
    expect(() => parseSchedulerExpression(text)).toThrow(Error);
  });
});

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html */
describe('expressions of rules', () => {
  it.each(['rate(1 minute)', 'rate(5 minutes)', 'rate(1 hour)', 'rate(1 day)', 'cron(0 10 * * ? *)'])(
    'take %s',
    (text) => {
      expect(parseRuleSchedule(text).next(0, 60_000)).toBeGreaterThan(0);
    },
  );

  it.each(['rate(1 minutes)', 'rate(5 minute)', 'rate(1 hours)', 'at(2026-01-01T00:00:00)', 'cron(0 10 * * * *)'])(
    'refuse %s',
    (text) => {
      expect(() => parseRuleSchedule(text)).toThrow(Error);
    },
  );
});
