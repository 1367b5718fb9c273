import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { defineEvent } from '@millrace/events';
import { personal } from '@millrace/privacy/personal';
import { sampleEvent } from '@millrace/testing';
import * as z from 'zod';
import { eventLogger, Logger, MetricUnit, metrics, nextTraceparent, publishMetrics } from './index.ts';

const Whispered = defineEvent({
  name: 'Whispered',
  version: 1,
  service: 'gossip',
  category: 'domain',
  type: 'data',
  summary: 'Somebody told somebody something.',
  data: z.object({ secret: personal(z.string()) }),
  example: { secret: 'the butler did it' },
});

let lines: string[];
beforeEach(() => {
  lines = [];
  jest.spyOn(process.stdout, 'write').mockImplementation((line) => {
    lines.push(String(line));
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('eventLogger', () => {
  test('puts the identity of the event on every line, and nothing of its data', () => {
    const { metadata } = sampleEvent(
      Whispered,
      {},
      { id: 'event-1', subject: 'rumour-1', correlationId: 'correlation-1', causationId: 'cause-1' },
    ).event;
    const parent = new Logger({ logLevel: 'INFO' });

    const log = eventLogger(parent, metadata);
    log.info('first');
    log.info('second');
    parent.info('elsewhere');

    const [first, second, elsewhere] = lines.map((line) => JSON.parse(line));
    const identity = {
      event_id: 'event-1',
      event_type: 'Whispered.v1',
      subject: 'rumour-1',
      correlation_id: 'correlation-1',
      causation_id: 'cause-1',
    };
    expect(first).toMatchObject({ message: 'first', ...identity });
    expect(second).toMatchObject({ message: 'second', ...identity });
    expect(elsewhere).not.toHaveProperty('event_id');
    expect(lines.join()).not.toContain('butler');
  });

  test('does not repeat what is no identifier', () => {
    const { metadata } = sampleEvent(
      Whispered,
      {},
      { subject: 'Ada Lovelace', correlationId: 'ada@example.com' },
    ).event;

    eventLogger(new Logger({ logLevel: 'INFO' }), metadata).info('first');

    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      event_id: metadata.id,
      subject: '(no identifier)',
      correlation_id: '(no identifier)',
    });
  });
});

describe('nextTraceparent', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';

  test.each(['00', '01'])('is a new span in the trace of its parent, sampled as that one is (%s)', (flags) => {
    const parent = `00-${traceId}-b7ad6b7169203331-${flags}`;

    const traceparent = nextTraceparent(parent);

    expect(traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-${flags}$`));
    expect(traceparent).not.toBe(parent);
  });

  test.each([
    ['nothing', undefined],
    ['no text', ''],
    ['nonsense', 'nonsense'],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
    ['a span id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['upper case', `00-${traceId.toUpperCase()}-b7ad6b7169203331-01`],
    ['more than a traceparent', `00-${traceId}-b7ad6b7169203331-01-extra`],
  ])('starts a sampled trace for %s', (_, parent) => {
    const traceparent = nextTraceparent(parent);

    expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(traceparent).not.toContain(traceId);
    expect(traceparent).not.toMatch(/^00-0+-/);
  });
});

describe('metrics', () => {
  test('are written once, in a namespace even without configuration, and then forgotten', () => {
    jest.replaceProperty(metrics, 'disabled' as never, false as never);
    metrics.addMetric('Handled', MetricUnit.Count, 1);
    metrics.addMetric('Handled', MetricUnit.Count, 1);

    publishMetrics();
    publishMetrics();

    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      Handled: [1, 1],
      _aws: { CloudWatchMetrics: [{ Namespace: 'Millrace', Metrics: [{ Name: 'Handled', Unit: 'Count' }] }] },
    });
  });

  test('print nothing when nothing was measured', () => {
    const warn = jest.spyOn(process.stderr, 'write').mockReturnValue(true);

    publishMetrics();

    expect(lines).toEqual([]);
    expect(warn).not.toHaveBeenCalled();
  });
});
