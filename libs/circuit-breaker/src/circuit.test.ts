import { describe, expect, test } from '@jest/globals';
import { specify } from '@millrace/testing';
import {
  type Circuit,
  type CircuitCommand,
  type CircuitEvent,
  type Counts,
  decide,
  evolve,
  isSuspect,
  newCircuit,
  type ProbeOutcome,
  untilProbe,
} from './circuit.ts';

const settings = { failureRate: 0.5, minimumCalls: 4, windowMs: 60_000, openMs: 30_000, leaseMs: 20_000 };
const { given } = specify<Circuit, CircuitCommand, CircuitEvent>({
  initialState: newCircuit,
  decide: (command, circuit) => decide(command, circuit, settings),
  evolve,
});

const T = Date.parse('2026-03-01T00:00:00Z');
const at = (seconds: number) => T + seconds * 1000;
const counts = (failures: number, successes = 0): Counts => ({ failures, successes });
const calls = (seconds: number, failures: number, successes = 0): CircuitCommand => ({
  type: 'CountCalls',
  report: { ...counts(failures, successes), ...(successes > 0 && { lastSuccessAt: at(seconds) }) },
  now: at(seconds),
});
const counted = (
  startedAt: number,
  current: Counts,
  { previous = counts(0), run = [startedAt, current.failures] }: { previous?: Counts; run?: [number, number] } = {},
): CircuitEvent => {
  const [since, failures] = run;
  return {
    type: 'CallsCounted',
    window: { startedAt: at(startedAt), current, previous, run: { since: at(since), failures } },
  };
};
const startProbe = (seconds: number, owner = 'a'): CircuitCommand => ({ type: 'StartProbe', owner, now: at(seconds) });
const endProbe = (seconds: number, outcome: ProbeOutcome, owner = 'a'): CircuitCommand => ({
  type: 'EndProbe',
  owner,
  outcome,
  now: at(seconds),
});
const opened: CircuitEvent = { type: 'CircuitOpened', at: at(0), probeAt: at(30) };
const probed = (seconds: number, owner = 'a'): CircuitEvent => ({
  type: 'ProbeStarted',
  owner,
  leaseUntil: at(seconds + 20),
});
const closed: CircuitEvent = { type: 'CircuitClosed', at: at(31) };

describe('a closed circuit', () => {
  test('counts calls', () => {
    given()
      .when(calls(0, 1, 2))
      .thenEvents(counted(0, counts(1, 2)));
    given(counted(0, counts(1, 2)))
      .when(calls(59, 1))
      .thenEvents(counted(0, counts(2, 2)), { type: 'CircuitOpened', at: at(59), probeAt: at(89) });
  });

  test.each([
    ['too few calls', counts(2), counts(1)],
    ['a share of failures below the rate', counts(3, 5), counts(1)],
  ])('stays closed with %s', (_, before, more) => {
    given(counted(0, before))
      .when(calls(1, more.failures, more.successes))
      .thenEvents(counted(0, counts(before.failures + more.failures, before.successes + more.successes)));
  });

  test('opens at the fourth failure in a row, for one probe interval', () => {
    given(counted(-59, counts(3)))
      .when(calls(0, 1))
      .thenEvents(counted(-59, counts(4)), opened);
  });

  test('counts what was called in the bucket before, and forgets what is older', () => {
    given(counted(0, counts(3)))
      .when(calls(119, 1))
      .thenEvents(counted(119, counts(1), { previous: counts(3), run: [0, 4] }), {
        type: 'CircuitOpened',
        at: at(119),
        probeAt: at(149),
      });
    given(counted(0, counts(3)))
      .when(calls(120, 1))
      .thenEvents(counted(120, counts(1)));
  });

  test('goes on counting in a bucket that a clock ahead has begun', () => {
    given(counted(300, counts(1)))
      .when(calls(0, 1))
      .thenEvents(counted(300, counts(2)));
  });

  test('has no probe', () => {
    given().when(startProbe(0)).thenEvents();
    given().when(endProbe(0, 'succeeded')).thenEvents();
  });
});

describe('failures in a row', () => {
  const healthy = counted(0, counts(0, 90));

  test('open the circuit whatever succeeded before them, once others have had ten seconds to report an answer', () => {
    const failing = counted(0, counts(3, 90), { run: [20, 3] });
    given(healthy, failing)
      .when(calls(29, 1))
      .thenEvents(counted(0, counts(4, 90), { run: [20, 4] }));
    given(healthy, failing)
      .when(calls(30, 1))
      .thenEvents(counted(0, counts(4, 90), { run: [20, 4] }), { type: 'CircuitOpened', at: at(30), probeAt: at(60) });
  });

  test('end with a call that has succeeded since the first of them, and not with an earlier one', () => {
    const failing = counted(0, counts(3, 90), { run: [20, 3] });
    const report = (lastSuccessAt: number): CircuitCommand => ({
      type: 'CountCalls',
      report: { ...counts(1, 5), lastSuccessAt: at(lastSuccessAt) },
      now: at(40),
    });
    given(failing)
      .when(report(21))
      .thenEvents(counted(0, counts(4, 95), { run: [40, 1] }));
    given(failing)
      .when(report(20))
      .thenEvents(counted(0, counts(4, 95), { run: [20, 4] }), { type: 'CircuitOpened', at: at(40), probeAt: at(70) });
  });

  test('make the provider suspect from the fourth on: such a failure is not the fault of its message', () => {
    const suspect = (failures: number) =>
      isSuspect(evolve(newCircuit, counted(0, counts(failures, 90), { run: [20, failures] })), settings);
    expect([3, 4].map(suspect)).toEqual([false, true]);
    expect(isSuspect(evolve(newCircuit, opened), settings)).toBe(false);
  });
});

describe('an open circuit', () => {
  test('lets one probe through when its time has come', () => {
    given(opened).when(startProbe(29.999)).thenEvents();
    given(opened).when(startProbe(30)).thenEvents(probed(30));
    given(opened, probed(30)).when(startProbe(31, 'b')).thenEvents();
  });

  test('ignores calls that began before', () => {
    given(opened).when(calls(1, 1)).thenEvents();
    given(opened, probed(30))
      .when(calls(31, 0, 9))
      .thenEvents();
  });

  test('closes when its probe succeeds, with a new window', () => {
    given(counted(-10, counts(9)), opened, probed(30))
      .when(endProbe(31, 'succeeded'))
      .thenEvents(closed);
    given(opened, probed(30), closed)
      .when(calls(32, 3))
      .thenEvents(counted(31, counts(3), { run: [32, 3] }));
  });

  test('stays open for another interval when its probe fails', () => {
    given(opened, probed(30))
      .when(endProbe(32, 'failed'))
      .thenEvents({ type: 'ProbeFailed', probeAt: at(62) });
  });

  test('lets another probe through at once when its probe ends without a call that decides', () => {
    const released: CircuitEvent = { type: 'ProbeReleased', probeAt: at(32) };
    given(opened, probed(30)).when(endProbe(32, 'undecided')).thenEvents(released);
    given(opened, probed(30), released).when(startProbe(32, 'b')).thenEvents(probed(32, 'b'));
    given(opened, probed(30), probed(50, 'b'))
      .when(endProbe(51, 'undecided', 'a'))
      .thenEvents();
  });

  test('gives the probe to another owner when the lease is over, and ignores what the first one reports then', () => {
    given(opened, probed(30)).when(startProbe(49, 'b')).thenEvents();
    given(opened, probed(30)).when(startProbe(50, 'b')).thenEvents(probed(50, 'b'));
    given(opened, probed(30), probed(50, 'b'))
      .when(endProbe(51, 'failed', 'a'))
      .thenEvents();
    given(opened, probed(30), probed(50, 'b'))
      .when(endProbe(51, 'succeeded', 'a'))
      .thenEvents();
  });

  test('remembers when it opened', () => {
    given(opened, probed(30), { type: 'ProbeFailed', probeAt: at(62) }).thenState((circuit) =>
      expect(circuit).toEqual({ status: 'open', openedAt: at(0), probeAt: at(62) }),
    );
  });
});

describe('clocks that differ', () => {
  test('do not keep a circuit open: a time that no clock like this one can have set counts as passed', () => {
    const byClockAhead: CircuitEvent = { type: 'CircuitOpened', at: at(300), probeAt: at(330) };
    given(byClockAhead).when(startProbe(0)).thenEvents(probed(0));
    given(opened, probed(600)).when(startProbe(31, 'b')).thenEvents(probed(31, 'b'));
  });

  test('do not make two probes while they are less apart than a lease', () => {
    given(opened, probed(30))
      .when(startProbe(30 + 19, 'ahead'))
      .thenEvents();
    given(opened, probed(30)).when(startProbe(11, 'behind')).thenEvents();
    given(opened).when(startProbe(-29, 'behind')).thenEvents();
  });
});

test('the time until the next probe is known while the circuit is open', () => {
  expect(untilProbe(newCircuit, at(0), settings)).toBe(0);
  expect(untilProbe(evolve(newCircuit, opened), at(10), settings)).toBe(20_000);
  expect(untilProbe(evolve(newCircuit, opened), at(31), settings)).toBe(0);
  expect(untilProbe(evolve(evolve(newCircuit, opened), probed(30)), at(31), settings)).toBe(0);
});
