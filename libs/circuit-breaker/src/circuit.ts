/** For how long a container believes what it has read of a circuit, in ms. Then it reads it again, and reports its calls if others have failed. */
export const CACHE_MS = 5_000;
/** How long calls must have failed in a row before these failures alone open a circuit: containers that get answers report them by then. */
const SETTLED_MS = 2 * CACHE_MS;

/** When a circuit opens, and how it closes again. */
export interface CircuitSettings {
  /** The share of failed calls from which the circuit opens, above 0 and at most 1. */
  failureRate: number;
  /** The circuit does not open before the window has this many calls. */
  minimumCalls: number;
  /** Calls count for this long at least, and for twice as long at most. */
  windowMs: number;
  /** The probe interval: how long the circuit stays open before one call may try the provider. */
  openMs: number;
  /** A probe that has not ended by then belongs to a container that died. Longer than it takes to handle a message. */
  leaseMs: number;
}

/** How calls ended. */
export interface Counts {
  failures: number;
  successes: number;
}

/** Calls that a container reports together. */
export interface Report extends Counts {
  /** When the last call succeeded, if one did. */
  lastSuccessAt?: number | undefined;
}

/** The calls that count: two buckets, of which the newer one began at `startedAt`. All times are milliseconds since the epoch. */
export interface Window {
  startedAt: number;
  current: Counts;
  previous: Counts;
  /** Failures in a row: no call is known to have succeeded since the first of them. */
  run: { since: number; failures: number };
}

/**
 * The state of a circuit. `closed`: calls go through and are counted. `open`: no call goes through before `probeAt`.
 * `half-open`: the owner's probe is under way, and no other call goes through.
 */
export type Circuit =
  | { status: 'closed'; window: Window }
  | { status: 'open'; openedAt: number; probeAt: number }
  | { status: 'half-open'; openedAt: number; owner: string; leaseUntil: number };

/** `undecided`: nothing was asked that tells whether the provider does its work again. Then the next call is a probe, at once. */
export type ProbeOutcome = 'succeeded' | 'failed' | 'undecided';

export type CircuitCommand =
  | { type: 'CountCalls'; report: Report; now: number }
  | { type: 'StartProbe'; owner: string; now: number }
  | { type: 'EndProbe'; owner: string; outcome: ProbeOutcome; now: number };

export type CircuitEvent =
  | { type: 'CallsCounted'; window: Window }
  | { type: 'CircuitOpened'; at: number; probeAt: number }
  | { type: 'ProbeStarted'; owner: string; leaseUntil: number }
  | { type: 'ProbeFailed'; probeAt: number }
  | { type: 'ProbeReleased'; probeAt: number }
  | { type: 'CircuitClosed'; at: number };

const noCalls: Counts = { failures: 0, successes: 0 };

/** A circuit that has not seen any call. */
export const newCircuit: Circuit = { status: 'closed', window: emptyWindow(0) };

/**
 * What follows from a command; nothing when it does not fit the state. A call that ends while the circuit is not closed
 * counts for nothing, and neither does a probe whose lease another container has taken over.
 */
export function decide(command: CircuitCommand, circuit: Circuit, settings: CircuitSettings): readonly CircuitEvent[] {
  const { now } = command;
  switch (command.type) {
    case 'CountCalls': {
      if (circuit.status !== 'closed') return [];
      const window = count(circuit.window, command.report, now, settings);
      const counted = { type: 'CallsCounted', window } as const;
      return mustOpen(window, now, settings)
        ? [counted, { type: 'CircuitOpened', at: now, probeAt: now + settings.openMs }]
        : [counted];
    }
    case 'StartProbe': {
      const started = { type: 'ProbeStarted', owner: command.owner, leaseUntil: now + settings.leaseMs } as const;
      return isProbeDue(circuit, now, settings) ? [started] : [];
    }
    case 'EndProbe':
      if (circuit.status !== 'half-open' || circuit.owner !== command.owner) return [];
      switch (command.outcome) {
        case 'succeeded':
          return [{ type: 'CircuitClosed', at: now }];
        case 'failed':
          return [{ type: 'ProbeFailed', probeAt: now + settings.openMs }];
        case 'undecided':
          return [{ type: 'ProbeReleased', probeAt: now }];
      }
  }
}

/** The state after one more event. */
export function evolve(circuit: Circuit, event: CircuitEvent): Circuit {
  const openedAt = circuit.status === 'closed' ? 0 : circuit.openedAt;
  switch (event.type) {
    case 'CallsCounted':
      return { status: 'closed', window: event.window };
    case 'CircuitOpened':
      return { status: 'open', openedAt: event.at, probeAt: event.probeAt };
    case 'ProbeStarted':
      return { status: 'half-open', openedAt, owner: event.owner, leaseUntil: event.leaseUntil };
    case 'ProbeFailed':
    case 'ProbeReleased':
      return { status: 'open', openedAt, probeAt: event.probeAt };
    case 'CircuitClosed':
      return { status: 'closed', window: emptyWindow(event.at) };
  }
}

/** All calls of a window. */
export function callsIn({ current, previous }: Window): Counts {
  return add(current, previous);
}

/** How long the next probe is away, in ms: 0 when it is due, or another one is under way. */
export function untilProbe(circuit: Circuit, now: number, settings: CircuitSettings): number {
  if (circuit.status !== 'open' || isOver(circuit.probeAt, now, settings.openMs)) return 0;
  return circuit.probeAt - now;
}

function isProbeDue(circuit: Circuit, now: number, settings: CircuitSettings): boolean {
  if (circuit.status === 'closed') return false;
  return circuit.status === 'open'
    ? isOver(circuit.probeAt, now, settings.openMs)
    : isOver(circuit.leaseUntil, now, settings.leaseMs);
}

/**
 * True if a time has passed that another container set, `longest` ms after its own present. When it is more than twice as far away,
 * the clocks differ by more than `longest`. Then it counts as passed: too early a probe costs one call, and a circuit that a wrong
 * clock keeps open costs orders.
 */
function isOver(time: number, now: number, longest: number): boolean {
  return now >= time || time - now > 2 * longest;
}

/**
 * True if the provider may well be down: so many calls in a row have failed that the circuit opens unless another container reports
 * an answer. A failure says nothing about its own call then.
 */
export function isSuspect(circuit: Circuit, { minimumCalls }: CircuitSettings): boolean {
  return circuit.status === 'closed' && circuit.window.run.failures >= minimumCalls;
}

/** Adds calls to the newer bucket, or to a new one. A bucket of the future was begun by a clock ahead of this one: it goes on. */
function count(window: Window, report: Report, now: number, { windowMs }: CircuitSettings): Window {
  const age = now - window.startedAt;
  const { startedAt, current, previous, run } = age < 2 * windowMs ? window : emptyWindow(now);
  const { failures, lastSuccessAt = Number.NEGATIVE_INFINITY } = report;
  const goesOn = run.failures > 0 && lastSuccessAt <= run.since;
  const counts = { failures, successes: report.successes };
  const counted = { run: goesOn ? { ...run, failures: run.failures + failures } : { since: now, failures } };
  if (age >= windowMs && age < 2 * windowMs) return { startedAt: now, current: counts, previous: current, ...counted };
  return { startedAt, current: add(current, counts), previous, ...counted };
}

/** By the share of failures; or by failures alone, once containers that got answers have had the time to report them. */
function mustOpen(window: Window, now: number, { failureRate, minimumCalls }: CircuitSettings): boolean {
  const { failures, successes } = callsIn(window);
  const calls = failures + successes;
  if (calls >= minimumCalls && failures >= failureRate * calls) return true;
  return window.run.failures >= minimumCalls && now - window.run.since >= SETTLED_MS;
}

function emptyWindow(startedAt: number): Window {
  return { startedAt, current: noCalls, previous: noCalls, run: { since: startedAt, failures: 0 } };
}

function add(one: Counts, other: Counts): Counts {
  return { failures: one.failures + other.failures, successes: one.successes + other.successes };
}
