import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { type KinesisEvent, StreamMappingUnderTest, textsOf } from '../../../fixtures/stream-mapping-under-test.ts';

let under: StreamMappingUnderTest;

beforeEach(() => {
  under = new StreamMappingUnderTest();
  under.answer = count;
});

afterEach(async () => {
  await under[Symbol.asyncDispose]();
});

/** Counts the records of a window. */
const count = ({ Records, state }: KinesisEvent) => ({ state: { count: Number(state?.count ?? 0) + Records.length } });
/** The invocations in short: `a b` with the state they got, and `final` or `early`. */
const seen = () =>
  under.events.map((event) =>
    [
      textsOf(event) || '-',
      JSON.stringify(event.state),
      ...(event.isFinalInvokeForWindow ? ['final'] : []),
      ...(event.isWindowTerminatedEarly ? ['early'] : []),
    ].join(' '),
  );
/** Until the invocations are these; the clock stands. */
const saw = (...expected: string[]) =>
  eventually(async () => {
    await under.clock.advance(0);
    expect(seen()).toEqual(expected);
  });
/** Moves the clock on, and lets what reads the stream see it. */
const pass = async (seconds: number) => {
  for (let second = 0; second < seconds; second += 1) await under.clock.advance(1000);
};

// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html
describe('a tumbling window', () => {
  test('carries the state from one invocation to the next, and ends with a final one', async () => {
    await under.map({ TumblingWindowInSeconds: 60 });
    under.put('a');
    await saw('a {}');
    under.put('b');
    await saw('a {}', 'b {"count":1}');
    await pass(59);
    expect(under.events).toHaveLength(2);
    await eventually(async () => {
      await pass(1);
      expect(seen().at(-1)).toBe('- {"count":2} final');
    });
    expect(under.events[0]).toMatchObject({
      window: { start: '2026-06-01T00:00:00Z', end: '2026-06-01T00:01:00Z' },
      shardId: 'shardId-000000000000',
      eventSourceARN: expect.stringContaining('stream/orders'),
      isFinalInvokeForWindow: false,
      isWindowTerminatedEarly: false,
    });
    under.put('c');
    await eventually(() => expect(seen().at(-1)).toBe('c {}'));
  });

  test('has the records that arrived in the stream during it, however late they are read', async () => {
    under.put('a');
    await pass(59);
    under.put('b');
    await pass(1);
    under.put('c');
    await pass(600);
    under.put('d');
    await under.map({ TumblingWindowInSeconds: 60 });
    await saw('a b {}', '- {"count":2} final', 'c {}', '- {"count":1} final', 'd {}');
    expect(under.events.map(({ window }) => window?.start.slice(11))).toEqual([
      ...['00:00:00Z', '00:00:00Z', '00:01:00Z', '00:01:00Z', '00:11:00Z'],
    ]);
  });

  test('counts an answer without a state as a failed invocation', async () => {
    under.answer = (event) => (under.events.length === 1 ? { counted: 1 } : count(event));
    under.put('a');
    await under.map({ TumblingWindowInSeconds: 60 });
    await saw('a {}', 'a {}');
  });

  test('holds later records back until its final invocation succeeds', async () => {
    let failures = 2;
    under.answer = (event) => {
      if (event.isFinalInvokeForWindow && failures > 0) {
        failures -= 1;
        throw new Error('cannot store the result');
      }
      return count(event);
    };
    under.put('a');
    await pass(60);
    under.put('b');
    await under.map({ TumblingWindowInSeconds: 60 });
    const final = '- {"count":1} final';
    await saw('a {}', final, final, final, 'b {}');
  });

  test('keeps its state over a restart', async () => {
    under.put('a');
    await under.map({ TumblingWindowInSeconds: 60 });
    await saw('a {}');
    await eventually(() => expect([...under.saved.values()].join()).toContain('"count":1'));
    await under.stop();
    under.put('b');
    await under.map({ TumblingWindowInSeconds: 60 });
    await saw('a {}', 'b {"count":1}');
  });

  test('keeps the state that a partly failed batch returns, and gives up a record after its retries', async () => {
    under.answer = (event) => {
      const failed = event.Records.find((_record, index) => textsOf(event).split(' ')[index] === 'bad');
      const good = textsOf(event).split(' ').indexOf('bad');
      const counted = good === -1 ? event.Records.length : good;
      return {
        state: { count: Number(event.state?.count ?? 0) + counted },
        batchItemFailures: failed ? [{ itemIdentifier: failed.kinesis.sequenceNumber }] : [],
      };
    };
    for (const text of ['a', 'bad', 'c']) under.put(text);
    await under.map({
      TumblingWindowInSeconds: 60,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumRetryAttempts: 0,
      BatchSize: 2,
    });
    await eventually(async () => {
      await under.clock.advance(0);
      expect(seen().at(-1)).toBe('c {"count":1}');
    });
  });

  test('ends early when its state is above 1 MB, and goes on with an empty state', async () => {
    under.answer = (event) =>
      textsOf(event) === 'large' ? { state: { text: 'x'.repeat(1024 * 1024) } } : { state: { ended: true } };
    under.put('large');
    under.put('b');
    await under.map({ TumblingWindowInSeconds: 60, BatchSize: 1 });
    await eventually(() => expect(under.events).toHaveLength(3));
    expect(under.events.map(({ isWindowTerminatedEarly }) => isWindowTerminatedEarly)).toEqual([false, true, false]);
    expect(JSON.stringify(under.events[1]?.state)).toHaveLength(1024 * 1024 + 11);
    expect(under.events[2]?.state).toEqual({});
  });

  test('ends when its shard is closed', async () => {
    under.put('a');
    await under.map({ TumblingWindowInSeconds: 60 });
    await saw('a {}');
    under.kinesis.call('SplitShard', {
      StreamName: 'orders',
      ShardToSplit: 'shardId-000000000000',
      NewStartingHashKey: `${2n ** 127n}`,
    });
    await saw('a {}', '- {"count":1} final');
  });

  test.each([
    [{ TumblingWindowInSeconds: 901 }, 'ValidationException'],
    [{ TumblingWindowInSeconds: 60, ParallelizationFactor: 2 }, 'InvalidParameterValueException'],
  ])('is refused with %j', async (settings, name) => {
    await expect(under.map(settings)).rejects.toMatchObject({ name });
  });
});
