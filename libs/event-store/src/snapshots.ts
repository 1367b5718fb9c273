import { logger } from '@millrace/telemetry';
import type { SnapshotPolicy } from './aggregate.ts';
import type { DomainEvent } from './domain-event.ts';
import type { EventStore } from './event-store.ts';
import { jsonText } from './json-text.ts';
import { sha256 } from './payload.ts';

/** A state that was read from a snapshot, or is to become one. */
export interface SnapshotState<State> {
  state: State;
  /** Version and id of the last event in it. */
  version: number;
  eventId: string;
  /** How many of the events so far were emitted. */
  sequence: number;
}

/** The snapshots of one kind of aggregate. They only save time: nothing that is wrong with them is an error. */
export class Snapshots<State> {
  readonly #store: Pick<EventStore<DomainEvent>, 'readSnapshot' | 'writeSnapshot'>;
  readonly #policy: SnapshotPolicy<State>;

  constructor(store: Pick<EventStore<DomainEvent>, 'readSnapshot' | 'writeSnapshot'>, policy: SnapshotPolicy<State>) {
    this.#store = store;
    this.#policy = policy;
  }

  /** Events between two snapshots. */
  get every(): number {
    return this.#policy.every;
  }

  /** The last snapshot, or undefined when there is none that can be read. */
  async read(streamId: string): Promise<SnapshotState<State> | undefined> {
    const { stateVersion, fromSnapshot = (stored: unknown) => stored as State } = this.#policy;
    try {
      const snapshot = await this.#store.readSnapshot(streamId, stateVersion);
      if (!snapshot) return undefined;
      const { version } = snapshot;
      const { checksum, content } = JSON.parse(snapshot.body);
      if (checksum !== this.#checksum(streamId, version, content)) throw new Error('The checksum is another one');
      const { state, eventId, sequence } = JSON.parse(content);
      return { state: fromSnapshot(state), version, eventId, sequence };
    } catch (error) {
      logger.warn('A snapshot is ignored: it cannot be read', { stream: streamId, error: error as Error });
      return undefined;
    }
  }

  /**
   * Writes a snapshot when the last one, of `snapshotVersion` (0: there is none), is old enough.
   * @returns the version of the last one afterwards
   */
  async writeIfDue(streamId: string, snapshotVersion: number, current: SnapshotState<State>): Promise<number> {
    const { every, stateVersion, toSnapshot = (state: State) => state } = this.#policy;
    const { version, eventId, sequence } = current;
    if (version - snapshotVersion < every) return snapshotVersion;
    try {
      const content = jsonText({ state: toSnapshot(current.state), eventId, sequence }, 'snapshot');
      const body = JSON.stringify({ checksum: this.#checksum(streamId, version, content), content });
      await this.#store.writeSnapshot(streamId, { stateVersion, version, body });
      return version;
    } catch (error) {
      logger.warn('A snapshot was not written', { stream: streamId, error: error as Error });
      return snapshotVersion;
    }
  }

  /** Over everything, so that a snapshot that was edited, mixed up or cut short is not taken for the state. */
  #checksum(streamId: string, version: number, content: unknown): string {
    return sha256(JSON.stringify([streamId, this.#policy.stateVersion, version, content]));
  }
}
