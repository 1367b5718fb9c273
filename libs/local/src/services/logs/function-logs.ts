import { randomBytes } from 'node:crypto';
import type { Clock, Timer } from '../../core/clock.ts';
import { expendable } from '../../core/expendable.ts';
import type { LogEvents } from './log-events.ts';
import type { LogEvent, LogStore } from './log-store.ts';

/** What a function wrote. */
export interface FunctionLine {
  functionName: string;
  line: string;
  /** Milliseconds since the epoch. */
  timestamp: number;
}

/** How long lines are gathered: storing many at once takes a tenth of the time. Readers do not wait for it. */
const GATHER_MS = 100;

/**
 * Stores what functions write, in the groups and streams that Lambda makes.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
 */
export class FunctionLogs {
  readonly #store: LogStore;
  readonly #events: LogEvents;
  readonly #clock: Clock;
  /** One for each run of this process: Lambda has one for each environment, which lines do not say. */
  readonly #run = randomBytes(16).toString('hex');
  /** By log group. */
  #gathered = new Map<string, LogEvent[]>();
  #timer: Timer | undefined;

  /** Stores what has been gathered. It does not fail: what functions do goes on when their logs cannot be kept. */
  readonly flush: () => void;

  /** @param warn gets a line when something could not be stored */
  constructor(store: LogStore, events: LogEvents, clock: Clock, warn: (line: string) => void) {
    this.#store = store;
    this.#events = events;
    this.#clock = clock;
    this.flush = expendable('Log lines of functions are lost', warn, () => this.#flush());
  }

  write({ functionName, line, timestamp }: FunctionLine): void {
    // An event cannot be empty.
    if (line === '') return;
    const groupName = `/aws/lambda/${functionName}`;
    const gathered = this.#gathered.get(groupName) ?? [];
    this.#gathered.set(groupName, gathered);
    gathered.push({ timestamp, message: line });
    this.#timer ??= this.#clock.setTimer(this.#clock.now() + GATHER_MS, () => this.flush());
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const gathered = this.#gathered;
    this.#gathered = new Map();
    for (const [groupName, events] of gathered) this.#append(groupName, events);
  }

  #append(groupName: string, events: readonly LogEvent[]): void {
    const now = this.#clock.now();
    const day = new Date(now).toISOString().slice(0, 10).replaceAll('-', '/');
    const streamName = `${day}/[$LATEST]${this.#run}`;
    if (!this.#store.group(groupName)) {
      this.#store.saveGroup({ name: groupName, createdAt: now, tags: {}, isDeclared: false });
    }
    if (!this.#store.stream(groupName, streamName)) this.#store.createStream(groupName, streamName, now);
    this.#events.append(groupName, streamName, events);
  }
}
