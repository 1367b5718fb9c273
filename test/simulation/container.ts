import type { Random } from '../random.ts';
import type { Scheduler } from './scheduler.ts';

/** A process of the simulated system: a Lambda container, or an operator's command. It can die at any call. */
export class Container {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** How far its clock is ahead, in ms. */
  readonly skew: number;
  alive = true;
  busy = false;
  /** It dies at the call after so many. */
  callsLeft = Number.POSITIVE_INFINITY;
  /** Calls when it dies. */
  onDeath: (() => void) | undefined;

  constructor(name: string, { scheduler, random, skew }: { scheduler: Scheduler; random: Random; skew: number }) {
    this.name = name;
    this.scheduler = scheduler;
    this.random = random;
    this.skew = skew;
  }

  /** What its clock says, in milliseconds since 1970. */
  now(): number {
    return this.scheduler.now + this.skew;
  }

  /** Nothing that it has begun goes on. What it has sent may still arrive. */
  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.onDeath?.();
  }

  /** Runs code as that of this container: what it starts belongs to the container. */
  run<Result>(code: () => Result): Result | undefined {
    if (!this.alive) return undefined;
    current = this;
    return code();
  }
}

/**
 * The container whose code runs. It is set before each event of the scheduler that goes on with a container's code, and
 * holds until the next: all promises settle between two events.
 */
let current: Container | undefined;

export function currentContainer(): Container | undefined {
  return current;
}

/** The code that runs from here on is that of the simulation itself. */
export function leaveContainers(): void {
  current = undefined;
}
