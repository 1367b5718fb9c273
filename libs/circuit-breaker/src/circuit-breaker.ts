import { randomUUID } from 'node:crypto';
import { isUnavailable } from '@millrace/errors';
import { logger, MetricUnit, metrics } from '@millrace/telemetry';
import {
  CACHE_MS,
  type Circuit,
  type CircuitCommand,
  type CircuitEvent,
  type CircuitSettings,
  callsIn,
  decide,
  evolve,
  isSuspect,
  newCircuit,
  type ProbeOutcome,
  type Report,
  untilProbe,
} from './circuit.ts';
import { CircuitOpenError } from './circuit-open-error.ts';
import type { CircuitStore, StoredCircuit } from './circuit-store.ts';

/** While a probe is under way its outcome is near. */
const HALF_OPEN_CACHE_MS = 1_000;
/** How often a write is tried while other containers are faster. After that a report waits for the next one. */
const MAX_ATTEMPTS = 5;

/** The dependencies of a breaker. */
export interface CircuitBreakerOptions {
  store: CircuitStore;
  settings: CircuitSettings;
  /** True if an error says that the provider is down: no answer, a timeout, a 5xx. Any other outcome is an answer. */
  isFailure: (error: unknown) => boolean;
  /** For tests to replace. */
  now?: () => number;
  newId?: () => string;
}

/** The calls of one message. Each throws CircuitOpenError, as `run` of a breaker does. */
export interface ProviderCalls {
  /** Throws while no call would go through. If the message is to be the probe, it is from here on. Ask before you write anything. */
  enter(): Promise<void>;
  /** Makes a call for which the provider has to do its work: its outcome counts, and ends a probe. */
  run<Result>(call: () => Promise<Result>): Promise<Result>;
  /** Makes a call that only reads. A failure counts. An answer does not: a provider may answer questions and do no work. */
  lookUp<Result>(call: () => Promise<Result>): Promise<Result>;
}

/**
 * Lets calls through to a provider as long as it answers. All containers share one circuit: when too many of their calls fail it opens,
 * and only one probe in each interval calls the provider, until a probe succeeds.
 *
 * While the circuit is closed a call costs nothing: the container reads the state every five seconds, and writes only when calls fail.
 * It fails open: while the store is unavailable calls go through.
 *
 * @example
 * const breaker = new CircuitBreaker('carrier', { store, settings, isFailure: (error) => error instanceof CarrierDownError });
 * const label = await breaker.run(() => carrier.ship(parcel, AbortSignal.timeout(2_000)));
 */
export class CircuitBreaker {
  readonly #name: string;
  readonly #store: CircuitStore;
  readonly #settings: CircuitSettings;
  readonly #isFailure: (error: unknown) => boolean;
  readonly #now: () => number;
  readonly #newId: () => string;
  #known: StoredCircuit | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<Circuit> | undefined;
  /** Calls that have ended and are not reported yet. */
  #pending: Report = { failures: 0, successes: 0 };
  #pendingSince = 0;
  #reporting: Promise<unknown> = Promise.resolve();
  #nextReport: Promise<Circuit> | undefined;
  #isStartingProbe = false;

  /** @param name of the provider, for all services that share its circuit: part of the item's key, the metric and the alarm */
  constructor(
    name: string,
    { store, settings, isFailure, now = () => Date.now(), newId = randomUUID as () => string }: CircuitBreakerOptions,
  ) {
    this.#name = name;
    this.#store = store;
    this.#settings = settings;
    this.#isFailure = isFailure;
    this.#now = now;
    this.#newId = newId;
  }

  /**
   * Calls the provider, unless the circuit is open. For a message that needs several calls see `handle`.
   *
   * @param call ends by itself long before a probe's lease, see `CircuitSettings`
   * @returns what the call returns
   * @throws CircuitOpenError when the provider was not asked, or failed when it was suspected to be down: that does not count as an
   *   attempt; otherwise what the call throws
   */
  run<Result>(call: () => Promise<Result>): Promise<Result> {
    return this.handle(({ run }) => run(call));
  }

  /**
   * Handles a message that may call the provider several times. If it is the probe, it is the probe until its end: it holds one lease for
   * all its calls, and the first one that fails, or that `run` makes, decides. If it ends before, the next message is a probe at once.
   *
   * @param work makes its calls one after the other, and ends long before a probe's lease, see `CircuitSettings`
   * @returns what the work returns
   * @throws what the work throws
   * @example
   * await breaker.handle(async ({ lookUp, run }) => (await lookUp(() => carrier.find(id))) ?? run(() => carrier.ship(parcel)));
   */
  async handle<Result>(work: (calls: ProviderCalls) => Promise<Result>): Promise<Result> {
    let probe: string | undefined;
    const enter = async (): Promise<void> => {
      probe ??= await this.#admit();
    };
    const taken = (): string | undefined => {
      const owner = probe;
      probe = undefined;
      return owner;
    };
    const call = async <Answer>(ask: () => Promise<Answer>, decides: boolean): Promise<Answer> => {
      await enter();
      let answer: Answer;
      try {
        answer = await ask();
      } catch (error) {
        if (this.#isFailure(error)) {
          if (await this.#failed(taken())) throw this.#openError({ cause: error });
        } else if (decides) await this.#succeeded(taken());
        throw error;
      }
      if (decides) await this.#succeeded(taken());
      return answer;
    };
    try {
      return await work({ enter, run: (ask) => call(ask, true), lookUp: (ask) => call(ask, false) });
    } finally {
      if (probe !== undefined) await this.#endProbe(probe, 'undecided');
    }
  }

  /**
   * Refuses work that would end in a call which the circuit does not let through. Ask before you write what leads up to the call;
   * `run` decides.
   *
   * @throws CircuitOpenError while the circuit is open and no probe is due
   * @example await breaker.check();
   */
  async check(): Promise<void> {
    const circuit = await this.#look();
    if (circuit.status !== 'closed' && !this.#isProbeDue(circuit)) throw this.#rejection();
  }

  /** @returns the owner of a probe when the call is one; undefined when the circuit is closed */
  async #admit(): Promise<string | undefined> {
    const circuit = await this.#look();
    if (circuit.status === 'closed') return undefined;
    // Of this container's calls one competes for the probe.
    if (this.#isStartingProbe || !this.#isProbeDue(circuit)) throw this.#rejection();
    this.#isStartingProbe = true;
    try {
      const owner = this.#newId();
      const after = await this.#change((now) => ({ type: 'StartProbe', owner, now }));
      if (after.status === 'closed') return undefined;
      // Recognised by its owner, so that a write whose answer got lost is ours all the same.
      if (after.status === 'half-open' && after.owner === owner) return owner;
      throw this.#rejection();
    } finally {
      this.#isStartingProbe = false;
    }
  }

  #isProbeDue(circuit: Circuit): boolean {
    return decide({ type: 'StartProbe', owner: '', now: this.#now() }, circuit, this.#settings).length > 0;
  }

  async #succeeded(probe: string | undefined): Promise<void> {
    if (probe !== undefined) await this.#endProbe(probe, 'succeeded');
    else this.#count('successes');
  }

  /** @returns whether the provider is down, or may be, so that the failure says nothing about this call */
  async #failed(probe: string | undefined): Promise<boolean> {
    if (probe !== undefined) {
      await this.#endProbe(probe, 'failed');
      return true;
    }
    this.#count('failures');
    const circuit = await this.#report();
    return circuit.status !== 'closed' || isSuspect(circuit, this.#settings);
  }

  async #endProbe(owner: string, outcome: ProbeOutcome): Promise<void> {
    await this.#change((now) => ({ type: 'EndProbe', owner, outcome, now }));
  }

  #count(outcome: 'failures' | 'successes'): void {
    const now = this.#now();
    // Calls that were not reported in time are past the window.
    if (now - this.#pendingSince >= this.#settings.windowMs) {
      this.#pending = { failures: 0, successes: 0 };
      this.#pendingSince = now;
    }
    this.#pending[outcome] += 1;
    if (outcome === 'successes') this.#pending.lastSuccessAt = now;
  }

  /** Reports what is pending. Calls that fail during a report share the next one. */
  #report(): Promise<Circuit> {
    if (!this.#nextReport) {
      this.#nextReport = this.#reporting.then(() => {
        this.#nextReport = undefined;
        return this.#writeReport();
      });
      this.#reporting = this.#nextReport.catch(() => undefined);
    }
    return this.#nextReport;
  }

  async #writeReport(): Promise<Circuit> {
    const report = this.#pending;
    this.#pending = { failures: 0, successes: 0 };
    let written = false;
    try {
      return await this.#change(
        (now) => ({ type: 'CountCalls', report, now }),
        () => {
          written = true;
        },
      );
    } finally {
      if (!written) {
        this.#pending.failures += report.failures;
        this.#pending.successes += report.successes;
        this.#pending.lastSuccessAt ??= report.lastSuccessAt;
      }
    }
  }

  /** The circuit, as far as this container knows: read again when that is old. */
  async #look(): Promise<Circuit> {
    const age = this.#now() - this.#readAt;
    const { circuit } = this.#known ?? {};
    const cacheMs = circuit?.status === 'half-open' ? HALF_OPEN_CACHE_MS : CACHE_MS;
    // Without what was read the store was unavailable: it is left alone for as long.
    if (age >= 0 && age < cacheMs) return circuit ?? newCircuit;
    this.#loading ??= this.#refresh().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #refresh(): Promise<Circuit> {
    const circuit = await this.#failOpen(async () => (await this.#load()).circuit);
    if (circuit.status !== 'closed') {
      this.#measure('CircuitOpen');
      return circuit;
    }
    // Others have failed: without the calls that succeed here their share would be too large.
    if (callsIn(circuit.window).failures > 0 && this.#pending.successes > 0) return this.#report();
    return circuit;
  }

  async #load(): Promise<StoredCircuit> {
    const stored = await this.#store.load();
    this.#known = stored;
    this.#readAt = this.#now();
    return stored;
  }

  /**
   * Decides a command on the circuit and writes what follows. When another container was faster it is decided again.
   * @returns the circuit afterwards; what is known of it when it could not be written
   */
  #change(command: (now: number) => CircuitCommand, onWritten = () => {}): Promise<Circuit> {
    return this.#failOpen(async () => {
      // Not `#known` itself: a call beside this one forgets it when the store is unavailable to that one.
      let known = this.#known ?? (await this.#load());
      for (let attempt = 1; ; attempt += 1) {
        const { circuit, revision } = known;
        const events = decide(command(this.#now()), circuit, this.#settings);
        if (events.length === 0) {
          onWritten();
          return circuit;
        }
        const changed = events.reduce(evolve, circuit);
        if (await this.#store.save(changed, revision)) {
          this.#known = { circuit: changed, revision: revision + 1 };
          this.#readAt = this.#now();
          onWritten();
          for (const event of events) this.#tell(event);
          return changed;
        }
        known = await this.#load();
        if (attempt === MAX_ATTEMPTS) return known.circuit;
      }
    });
  }

  /** @returns a closed circuit while the store is unavailable: that the provider is down, too, would be a second failure */
  async #failOpen(action: () => Promise<Circuit>): Promise<Circuit> {
    try {
      return await action();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      logger.warn('The circuit could not be read or written: calls go through', {
        circuit: this.#name,
        error: error as Error,
      });
      this.#known = undefined;
      this.#readAt = this.#now();
      return newCircuit;
    }
  }

  #tell(event: CircuitEvent): void {
    const details = { circuit: this.#name };
    switch (event.type) {
      case 'CircuitOpened':
        this.#measure('CircuitOpened');
        this.#measure('CircuitOpen');
        logger.error('Circuit opened: the provider fails, and messages wait', details);
        return;
      case 'ProbeFailed':
        this.#measure('CircuitOpen');
        logger.warn('Probe failed: the circuit stays open', details);
        return;
      case 'CircuitClosed':
        logger.info('Circuit closed: the provider answers again', details);
    }
  }

  /** A metric of this circuit alone, for its alarm. */
  #measure(name: 'CircuitOpened' | 'CircuitOpen'): void {
    const single = metrics.singleMetric();
    single.addDimension('circuit', this.#name);
    single.addMetric(name, MetricUnit.Count, 1);
  }

  #rejection(): CircuitOpenError {
    metrics.addMetric('CircuitRejected', MetricUnit.Count, 1);
    return this.#openError();
  }

  #openError(options?: ErrorOptions): CircuitOpenError {
    const { circuit = newCircuit } = this.#known ?? {};
    const untilProbeMs = untilProbe(circuit, this.#now(), this.#settings);
    return new CircuitOpenError(this.#name, untilProbeMs, this.#settings.openMs, options);
  }
}
