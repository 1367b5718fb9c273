import { eventBridgeLimits } from '@millrace/events/aws-limits';
import { AwsError } from '../../core/aws-error.ts';
import type { ArchiveStore, EventKey } from './archive-store.ts';
import type { Archive, Archives } from './archives.ts';
import { type BusEvent, replayedEvent } from './bus-event.ts';
import type { EventBus } from './event-bus.ts';
import type { EventBuses } from './event-buses.ts';
import { exclusiveFilter } from './exclusive-filter.ts';
import { page } from './page.ts';
import {
  type Input,
  optionalString,
  requiredList,
  requiredString,
  requiredTime,
  structure,
} from './request-parameters.ts';

const replayStates = ['STARTING', 'RUNNING', 'CANCELLING', 'COMPLETED', 'CANCELLED', 'FAILED'] as const;
type ReplayState = (typeof replayStates)[number];

/** A replay, as it is kept. Times are in milliseconds since the epoch. */
interface Replay {
  readonly name: string;
  readonly arn: string;
  readonly description?: string;
  readonly archiveArn: string;
  readonly busArn: string;
  /** The rules that get the events; all of them without it. */
  readonly ruleArns?: readonly string[];
  readonly eventStart: number;
  readonly eventEnd: number;
  readonly startedAt: number;
  state: ReplayState;
  stateReason?: string;
  lastReplayed?: number;
  endedAt?: number;
}

export interface ReplayOptions {
  accountId: string;
  region: string;
  now: () => number;
  /** Puts an event on a bus for all rules, or for these only. Resolves when it has been delivered or given up. */
  publish: (bus: EventBus, event: BusEvent, ruleArns: ReadonlySet<string> | undefined) => Promise<void>;
  warn: (line: string) => void;
}

const replayName = { maximumLength: eventBridgeLimits.replayNameLength, pattern: /^[.\-_A-Za-z0-9]+$/ };
const maximumActive = 10;
const intervalMs = 60_000;
/** Deliveries of one replay at once. */
const concurrency = 10;

/**
 * The replays of one account and region. A replay that runs when the process ends is FAILED when the next one finds it.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
 */
export class Replays {
  readonly #options: ReplayOptions;
  readonly #buses: EventBuses;
  readonly #archives: Archives;
  readonly #store: ArchiveStore;
  readonly #replays = new Map<string, Replay>();
  #closed = false;

  constructor(options: ReplayOptions, buses: EventBuses, archives: Archives, store: ArchiveStore) {
    this.#options = options;
    this.#buses = buses;
    this.#archives = archives;
    this.#store = store;
    for (const replay of store.replays() as Replay[]) {
      this.#replays.set(replay.name, replay);
      if (isActive(replay)) this.#end(replay, 'FAILED', 'The process that ran the replay has ended.');
    }
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html */
  startReplay(input: Input): object {
    const name = requiredString(input, 'ReplayName', replayName);
    const description = optionalString(input, 'Description', { maximumLength: 512 });
    const archiveArn = requiredString(input, 'EventSourceArn', { maximumLength: 1600 });
    const destination = structure(input.Destination ?? {}, 'Destination');
    const busArn = requiredString(destination, 'Arn', { maximumLength: 1600 });
    const eventStart = requiredTime(input, 'EventStartTime');
    const eventEnd = requiredTime(input, 'EventEndTime');
    if (eventStart >= eventEnd) {
      throw invalid('EventEndTime', 'EventStartTime must be before EventEndTime.');
    }
    const bus = this.#buses.required(busArn);
    const archive = this.#archives.find(archiveArn);
    if (!archive) {
      throw invalid('EventSourceArn', `Archive ${archiveArn.slice(archiveArn.lastIndexOf('/') + 1)} does not exist.`);
    }
    if (archive.bus !== bus) throw invalid('Destination.Arn', 'Cross event bus replay is not permitted.');
    const ruleArns = readRuleArns(destination, bus);
    if (this.#replays.has(name)) {
      throw new AwsError('ResourceAlreadyExistsException', `Replay ${name} already exists.`);
    }
    if ([...this.#replays.values()].filter(isActive).length >= maximumActive) {
      throw new AwsError('LimitExceededException', `There are ${maximumActive} active replays, which is the maximum.`);
    }
    const { accountId, region, now } = this.#options;
    const replay: Replay = {
      name,
      arn: `arn:aws:events:${region}:${accountId}:replay/${name}`,
      ...(description !== undefined && { description }),
      archiveArn,
      busArn: bus.arn,
      ...(ruleArns && { ruleArns }),
      eventStart,
      eventEnd,
      startedAt: now(),
      state: 'STARTING',
    };
    this.#replays.set(name, replay);
    this.#store.saveReplay(name, replay);
    setImmediate(() => {
      void this.#run(replay, archive).catch((error: unknown) => {
        this.#end(replay, 'FAILED', error instanceof Error ? error.message : String(error));
      });
    });
    return { ReplayArn: replay.arn, State: replay.state, ReplayStartTime: replay.startedAt / 1000 };
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CancelReplay.html */
  cancelReplay(input: Input): object {
    const replay = this.#replay(input);
    if (replay.state !== 'STARTING' && replay.state !== 'RUNNING') {
      throw new AwsError('IllegalStatusException', `Replay ${replay.name} is not in a valid state for this operation.`);
    }
    replay.state = 'CANCELLING';
    return { ReplayArn: replay.arn, State: replay.state };
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeReplay.html */
  describeReplay(input: Input): object {
    const replay = this.#replay(input);
    return {
      ...listed(replay),
      ReplayArn: replay.arn,
      Description: replay.description,
      Destination: { Arn: replay.busArn, FilterArns: replay.ruleArns },
    };
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListReplays.html */
  listReplays(input: Input): object {
    const { prefix, sourceArn, state } = exclusiveFilter(input, 'ListReplays', replayName, replayStates);
    const matching = [...this.#replays.values()].filter(
      (replay) =>
        replay.name.startsWith(prefix ?? '') &&
        (sourceArn === undefined || replay.archiveArn === sourceArn) &&
        (state === undefined || replay.state === state),
    );
    const { items, next } = page(matching, ({ name }) => name, input);
    return { Replays: items.map(listed), ...next };
  }

  /** Ends what runs. */
  close(): void {
    this.#closed = true;
    for (const replay of this.#replays.values()) {
      if (isActive(replay)) this.#end(replay, 'FAILED', 'The process that ran the replay has ended.');
    }
  }

  /** Minute after minute of the events' own time, from the start of the range. */
  async #run(replay: Replay, archive: Archive): Promise<void> {
    if (replay.state === 'STARTING') replay.state = 'RUNNING';
    this.#archives.expire(archive);
    let from = replay.eventStart;
    while (replay.state === 'RUNNING') {
      const first = this.#store.firstTime(archive.name, from, replay.eventEnd);
      if (first === undefined) break;
      const interval = Math.floor((first - replay.eventStart) / intervalMs);
      const end = Math.min(replay.eventStart + (interval + 1) * intervalMs, replay.eventEnd);
      await this.#replayInterval(replay, archive, this.#store.keys(archive.name, first, end));
      if (!this.#closed) this.#store.saveReplay(replay.name, replay);
      from = end;
    }
    if (replay.state === 'RUNNING') this.#end(replay, 'COMPLETED');
    if (replay.state === 'CANCELLING') this.#end(replay, 'CANCELLED');
  }

  async #replayInterval(replay: Replay, archive: Archive, keys: EventKey[]): Promise<void> {
    // AWS keeps no order within a minute, only between minutes. A consumer that leans on one would work here and fail there,
    // so there is none on purpose.
    shuffle(keys);
    const ruleArns = replay.ruleArns && new Set(replay.ruleArns);
    const worker = async (): Promise<void> => {
      for (let key = keys.pop(); key !== undefined && replay.state === 'RUNNING'; key = keys.pop()) {
        const archived = this.#store.event(key);
        if (!archived) continue;
        const event = replayedEvent(archived.text, archived.time, replay.name, this.#options.now());
        await this.#options.publish(archive.bus, event, ruleArns);
        replay.lastReplayed = archived.time;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
  }

  #end(replay: Replay, state: ReplayState, reason?: string): void {
    if (!isActive(replay)) return;
    replay.state = state;
    replay.endedAt = this.#options.now();
    if (reason !== undefined) replay.stateReason = reason;
    try {
      this.#store.saveReplay(replay.name, replay);
    } catch (error) {
      // To the next process it still runs, so that it is FAILED there.
      this.#options.warn(`The end of replay ${replay.name} could not be recorded: ${(error as Error).message}`);
    }
  }

  #replay(input: Input): Replay {
    const name = requiredString(input, 'ReplayName', replayName);
    const replay = this.#replays.get(name);
    if (!replay) throw new AwsError('ResourceNotFoundException', `Replay ${name} does not exist.`);
    return replay;
  }
}

function readRuleArns(destination: Input, bus: EventBus): string[] | undefined {
  if (destination.FilterArns === undefined || destination.FilterArns === null) return undefined;
  const known = new Set([...bus.rules.values()].map(({ arn }) => arn));
  return requiredList(destination, 'FilterArns', Number.POSITIVE_INFINITY).map((arn) => {
    if (typeof arn === 'string' && known.has(arn)) return arn;
    throw new AwsError('ResourceNotFoundException', `Rule ${arn} does not exist on EventBus ${bus.name}.`);
  });
}

function listed(replay: Replay): object {
  const seconds = (time: number | undefined) => (time === undefined ? undefined : time / 1000);
  return {
    ReplayName: replay.name,
    EventSourceArn: replay.archiveArn,
    State: replay.state,
    StateReason: replay.stateReason,
    EventStartTime: seconds(replay.eventStart),
    EventEndTime: seconds(replay.eventEnd),
    EventLastReplayedTime: seconds(replay.lastReplayed),
    ReplayStartTime: seconds(replay.startedAt),
    ReplayEndTime: seconds(replay.endedAt),
  };
}

function isActive({ state }: Replay): boolean {
  return state === 'STARTING' || state === 'RUNNING' || state === 'CANCELLING';
}

/** https://en.wikipedia.org/wiki/Fisher%E2%80%93Yates_shuffle */
function shuffle(keys: EventKey[]): void {
  for (let last = keys.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [keys[last], keys[other]] = [keys[other] ?? 0, keys[last] ?? 0];
  }
}

function invalid(parameter: string, reason: string): AwsError {
  return new AwsError('ValidationException', `Parameter ${parameter} is not valid. Reason: ${reason}`);
}
