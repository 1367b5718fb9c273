import { describe, expect, test } from '@jest/globals';
import { type DeadLetter, eventDigest, MAX_EVENT_BYTES, readDeadLetter } from '@millrace/dead-letters';
import { OrderPlaced } from '@millrace/orders/events';
import { envelopeText, sampleEvent } from '@millrace/testing';
import { decide } from './decide.ts';

const now = new Date();
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const event = sampleEvent(OrderPlaced, {}, { id: 'event-1', traceparent });
const body = envelopeText(event);

function letter(text = body, attributes: Record<string, string> = {}): DeadLetter {
  const MessageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
  );
  return readDeadLetter({ MessageId: 'message-1', ReceiptHandle: 'handle', Body: text, MessageAttributes });
}

describe('a dead event', () => {
  test('is emitted as it is, with a mark beside it in its own trace', () => {
    const odd = body.replace('"detail":{', '"detail":{  "z" : 1.0,');

    expect(decide(letter(odd), new Set(), now)).toMatchObject({
      do: 'emit',
      eventId: 'event-1',
      event: {
        source: 'millrace.orders',
        detailType: 'OrderPlaced.v1',
        detail: odd.slice(odd.indexOf('{  "z"'), -1),
        time: JSON.parse(body).time,
        resources: JSON.parse(body).resources,
        traceHeader: 'Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1;Reemission=1',
      },
    });
  });

  test('without a trace gets one for the mark', () => {
    const untraced = body.replace(traceparent, '?');
    expect(decide(letter(untraced), new Set(), now)).toMatchObject({
      event: {
        traceHeader: expect.stringMatching(
          /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Reemission=1$/,
        ),
      },
    });
  });

  test('is emitted once more after it died again', () => {
    expect(decide(letter(), new Set(['earlier']), now)).toMatchObject({
      do: 'emit',
      event: { traceHeader: expect.stringContaining('Reemission=2') },
    });
  });

  test('is parked instead of being emitted a third time', () => {
    expect(decide(letter(), new Set(['first', 'second']), now)).toMatchObject({
      do: 'park',
      reason: { code: 'REEMITTED_TOO_OFTEN' },
    });
  });

  test('whose letter was emitted before is only deleted, however often', () => {
    expect(decide(letter(), new Set(['message-1']), now)).toEqual({ do: 'delete' });
    expect(decide(letter(), new Set(['first', 'message-1']), now)).toEqual({ do: 'delete' });
  });

  test('that its consumer gave up with these very bytes is emitted, any other is parked', () => {
    const attributes = { EventDigest: eventDigest(body) };
    expect(decide(letter(body, attributes), new Set(), now)).toMatchObject({ do: 'emit' });
    expect(decide(letter(body.replace('DE', 'AT'), attributes), new Set(), now)).toMatchObject({
      do: 'park',
      reason: { code: 'EVENT_EDITED' },
    });
  });

  test('that is older than the marks of its consumers is parked', () => {
    const inAMonth = new Date(now.getTime() + 29 * 24 * 60 * 60 * 1000 + 1000);
    expect(decide(letter(), new Set(), inAMonth)).toMatchObject({ do: 'park', reason: { code: 'EVENT_TOO_OLD' } });
    expect(decide(letter(body.replaceAll('"timestamp":', '"then":')), new Set(), now)).toMatchObject({ do: 'park' });
  });

  test('of a replay is kept: on the bus it would be an ordinary event', () => {
    const replayed = body.replace('"detail":', '"replay-name":"replay-1","detail":');
    expect(decide(letter(replayed), new Set(), now)).toMatchObject({ do: 'keep', code: 'EVENT_REPLAYED' });
  });

  test('is kept when it is an analytics variant: on the domain bus, consumers of the event would get it', () => {
    const variant = event.analyticsVariant(() => 'pseudonym');
    if (!variant) throw new Error('no variant');
    expect(decide(letter(envelopeText(variant)), new Set(), now)).toMatchObject({
      do: 'keep',
      code: 'ANALYTICS_VARIANT',
    });
  });

  test.each([
    ['service', body.replace('"service":"orders"', '"service":"payments"'), 'metadata.service is payments, source is'],
    ['name', body.replace('"name":"OrderPlaced"', '"name":"OrderLost"'), 'metadata.name is OrderLost, detail-type is'],
    ['version', body.replace('"version":1', '"version":2'), 'metadata.version is 2, detail-type is OrderPlaced.v1'],
  ])('that contradicts its envelope in its %s is parked: every consumer would refuse it again', (_, text, message) => {
    expect(decide(letter(text), new Set(), now)).toMatchObject({
      do: 'park',
      reason: { code: 'ENVELOPE_MISMATCH', message: expect.stringContaining(message) },
    });
  });

  test.each([
    ['no JSON', '{"source":'],
    ['no event', '{"hello":1}'],
    ['an event without metadata.id', body.replace('"id":"event-1"', '"id":17')],
    ['an event with an impossible time', body.replace(/"time":"[^"]+"/, '"time":"soon"')],
  ])('that is %s is parked', (_, text) => {
    expect(decide(letter(text), new Set(), now)).toMatchObject({ do: 'park', reason: { code: 'MALFORMED_EVENT' } });
  });

  test('is parked when it is larger than what gets through', () => {
    const padded = (bytes: number) => body.replace('"detail":{', `"detail":{"padding":"${'x'.repeat(bytes)}",`);
    expect(decide(letter(padded(MAX_EVENT_BYTES)), new Set(), now)).toMatchObject({
      do: 'park',
      reason: { code: 'EVENT_TOO_LARGE', message: expect.stringMatching(/^\d+ bytes; at most 1032192 get through$/) },
    });
    expect(decide(letter(padded(MAX_EVENT_BYTES - 2000)), new Set(), now)).toMatchObject({ do: 'emit' });
  });
});
