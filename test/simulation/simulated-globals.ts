import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';
import { currentContainer } from './container.ts';
import type { Scheduled } from './scheduler.ts';

/** A timer of a container. It stands in for NodeJS.Timeout. */
class SimulatedTimer {
  readonly scheduled: Scheduled;

  constructor(scheduled: Scheduled) {
    this.scheduled = scheduled;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  close(): void {
    this.scheduled.cancel();
  }
}

let installed = false;

/**
 * Replaces this process's clock, timers and random numbers. Code that runs in a container gets those of the container, so
 * that everything follows from the seed; other code gets the real ones. There is no way back: run simulations in a process
 * of their own, and call this before any of the code under simulation is loaded.
 */
export function installSimulatedGlobals(): void {
  if (installed) return;
  installed = true;
  installClock();
  installTimers();
  installRandomness();
  syncBuiltinESMExports();
}

function installClock(): void {
  const RealDate = Date;
  const realNow = performance.now.bind(performance);
  const now = (): number => currentContainer()?.now() ?? RealDate.now();
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: () => new RealDate(now()).toString(),
    get: (target, property) => (property === 'now' ? now : Reflect.get(target, property)),
  });
  performance.now = () => {
    const container = currentContainer();
    return container ? container.scheduler.now - START_OF_TIME : realNow();
  };
}

const START_OF_TIME = Date.UTC(2026, 0, 1);

function installTimers(): void {
  const real = { setTimeout, clearTimeout, setInterval, clearInterval };
  const start = (ms: number, run: () => void): SimulatedTimer | undefined => {
    const container = currentContainer();
    if (!container) return undefined;
    // A timer alone keeps no history going: a container waits for nobody. Its invocation ends or times out.
    return new SimulatedTimer(container.scheduler.after(ms, () => container.run(run)));
  };
  Object.assign(globalThis, {
    setTimeout: Object.assign(
      (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
        start(ms, () => run(...args)) ?? real.setTimeout(run, ms, ...args),
      { __promisify__: real.setTimeout.__promisify__ },
    ),
    setInterval: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
      if (!currentContainer()) return real.setInterval(run, ms, ...args);
      throw new Error('An interval would keep a history from ending: use setTimeout');
    },
    clearTimeout: (timer: unknown) => {
      if (timer instanceof SimulatedTimer) timer.close();
      else real.clearTimeout(timer as NodeJS.Timeout);
    },
    clearInterval: (timer: unknown) => real.clearInterval(timer as NodeJS.Timeout),
  });
  Object.assign(timers, { setTimeout, clearTimeout, setInterval, clearInterval });
  const realDelay = timersPromises.setTimeout;
  timersPromises.setTimeout = ((ms = 0, value?: undefined, options: { signal?: AbortSignal } = {}) => {
    if (!currentContainer()) return realDelay(ms, value, options);
    return new Promise<unknown>((resolve, reject) => {
      const { signal } = options;
      if (signal?.aborted) return reject(abortError(signal));
      const timer = setTimeout(() => resolve(value), ms);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(abortError(signal));
      });
    });
  }) as typeof timersPromises.setTimeout;
  const realTimeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (ms) => {
    if (!currentContainer()) return realTimeout(ms);
    const controller = new AbortController();
    setTimeout(
      () => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
      ms,
    );
    return controller.signal;
  };
}

function abortError({ reason }: AbortSignal): Error {
  return Object.assign(new Error('The operation was aborted', { cause: reason }), { name: 'AbortError' });
}

function installRandomness(): void {
  const realRandom = Math.random;
  Math.random = () => currentContainer()?.random.next() ?? realRandom();
  const { randomUUID, randomBytes } = crypto;
  crypto.randomUUID = ((options) => currentContainer()?.random.uuid() ?? randomUUID(options)) as typeof randomUUID;
  crypto.randomBytes = ((size: number) =>
    currentContainer()?.random.bytes(size) ?? randomBytes(size)) as typeof randomBytes;
}
