import type { StreamPosition } from './stream-source.ts';
import type { OpenWindow } from './tumbling-window.ts';

/** Where the sequence number that a shard has been handled up to is kept. */
export interface Checkpoints {
  load(key: string): Promise<string | undefined>;
  save(key: string, value: string): Promise<void>;
}

/** The checkpoint of a closed shard that has been read to its end. */
export const SHARD_END = 'SHARD_END';
/** Prefix of a checkpoint before the first record ever read, which LATEST would not find again. */
const BEFORE = 'BEFORE:';
/** Prefix of one with a window that is open: the sequence number and the window as JSON. */
const WINDOW = 'WINDOW:';

/** How far a shard has been handled, and the window that is open there. */
export class ShardCheckpoint {
  readonly #checkpoints: Checkpoints;
  readonly #key: string;
  #saved: string | undefined;
  #position: string | undefined;
  /** The window whose state is kept with the position. */
  window: OpenWindow | undefined;

  private constructor(checkpoints: Checkpoints, key: string, saved: string | undefined) {
    this.#checkpoints = checkpoints;
    this.#key = key;
    this.#saved = saved;
    this.#position = saved;
    if (!saved?.startsWith(WINDOW)) return;
    const { position, ...window } = JSON.parse(saved.slice(WINDOW.length)) as OpenWindow & { position: string };
    this.#position = position;
    this.window = window;
  }

  static async load(checkpoints: Checkpoints, key: string): Promise<ShardCheckpoint> {
    return new ShardCheckpoint(checkpoints, key, await checkpoints.load(key));
  }

  get isEnd(): boolean {
    return this.#position === SHARD_END;
  }

  get isNew(): boolean {
    return this.#position === undefined;
  }

  /** Where to go on; undefined where nothing has been read. */
  get position(): StreamPosition | undefined {
    const position = this.#position;
    if (position === undefined) return undefined;
    return position.startsWith(BEFORE)
      ? { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: position.slice(BEFORE.length) }
      : { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: position };
  }

  /** Forgets the position, because its records are gone. */
  forget(): void {
    this.#position = undefined;
  }

  /** Keeps that reading has begun at a record. */
  begin(sequenceNumber: string): Promise<void> {
    return this.#save(BEFORE + sequenceNumber);
  }

  /** Keeps that everything up to a record is done with. */
  reach(sequenceNumber: string): Promise<void> {
    return this.#save(sequenceNumber);
  }

  end(): Promise<void> {
    return this.#save(SHARD_END);
  }

  /** Keeps a change of the window. */
  async saveWindow(): Promise<void> {
    if (this.#position !== undefined) await this.#save(this.#position);
  }

  async #save(position: string): Promise<void> {
    this.#position = position;
    const value = this.window ? WINDOW + JSON.stringify({ position, ...this.window }) : position;
    if (value === this.#saved) return;
    this.#saved = value;
    await this.#checkpoints.save(this.#key, value);
  }
}
