import { describe, expect, test } from '@jest/globals';
import { eventBody, exhausted } from '../../fixtures/dead-events.ts';
import { readDeadLetter } from '../dead-letter.ts';
import { type DeadLetterCriteria, deadLetterFilter } from './dead-letter-filter.ts';

const now = new Date('2026-01-01T12:00:00Z');

function letter(body: string, ageMs = 0) {
  return readDeadLetter({
    MessageId: 'message-1',
    Body: body,
    Attributes: { SentTimestamp: String(now.getTime() - ageMs) },
    MessageAttributes: Object.fromEntries(
      Object.entries(exhausted).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
    ),
  });
}

const order = letter(eventBody('event-1', { data: { currency: 'EUR', total: 1290 } }), 3_600_000);
const garbage = letter('not an event', 60_000);

describe('a filter of letters', () => {
  test.each<[DeadLetterCriteria, boolean, boolean]>([
    [{}, true, true],
    [{ types: ['OrderPlaced.v1'] }, true, false],
    [{ types: ['OrderCancelled.v1', 'OrderPlaced.v1'] }, true, false],
    [{ types: ['OrderPlaced.v2'] }, false, false],
    [{ reasons: ['STOCK_TABLE_GONE'] }, true, true],
    [{ reasons: ['SCHEMA_VIOLATION'] }, false, false],
    [{ ids: ['event-1'] }, true, false],
    [{ ids: ['message-1'] }, true, true],
    [{ correlationIds: ['correlation-of-event-1'] }, true, false],
    [{ olderThan: 1_800_000 }, true, false],
    [{ newerThan: 1_800_000 }, false, true],
    [{ pattern: '{"detail":{"data":{"currency":["EUR"],"total":[{"numeric":[">",1000]}]}}}' }, true, false],
    [{ pattern: '{"detail":{"data":{"currency":["USD"]}}}' }, false, false],
    [{ types: ['OrderPlaced.v1'], newerThan: 1_800_000 }, false, false],
  ])('%j', (criteria, ofOrder, ofGarbage) => {
    const matches = deadLetterFilter(criteria, now);
    expect([matches(order), matches(garbage)]).toEqual([ofOrder, ofGarbage]);
  });

  test('refuses a pattern that is not valid', () => {
    expect(() => deadLetterFilter({ pattern: '{"source":"orders"}' }, now)).toThrow('Event pattern is not valid');
  });
});
