import { randomUUID } from 'node:crypto';
import type { ConditionalWrite } from '@millrace/event-store';
import { RebuildTakenOverError, RebuildUnderWayError } from './errors.ts';
import type { Pointer, Pointers, Rebuilder } from './pointers.ts';

/** In ms. */
export interface LeaseTimes {
  /** How often a rebuilder shows that it lives. */
  beatEvery: number;
  /** For how long another one must not have done so to be taken for dead. */
  deadAfter: number;
}

export const leaseTimes: LeaseTimes = { beatEvery: 2_000, deadAfter: 10_000 };

/**
 * The right to rebuild a projection, and so to change its pointer and to write the rows of the version that is being built.
 * No clocks are compared: a rebuilder is dead when its beat has not moved for as long as another one watched. It may have
 * stalled and wake up later, so each of its writes is on condition that the lease is still its own: those of the pointer by
 * the pointer itself, those of rows by a fence.
 */
export class Lease {
  readonly #pointers: Pointers;
  readonly #name: string;
  readonly #rebuilder: Rebuilder;
  readonly #timer: NodeJS.Timeout;
  #pointer: Pointer;
  #saving: Promise<void> = Promise.resolve();

  private constructor(pointers: Pointers, name: string, pointer: Pointer, rebuilder: Rebuilder, beatEvery: number) {
    this.#pointers = pointers;
    this.#name = name;
    this.#pointer = pointer;
    this.#rebuilder = rebuilder;
    // A beat that fails is made up for by the next; a lease that is lost shows in the next change.
    this.#timer = setInterval(() => void this.renew().catch(() => undefined), beatEvery);
    this.#timer.unref();
  }

  /**
   * @param onWatch is told when another rebuilder is watched for a sign of life, for at most `deadAfter`
   * @throws RebuildUnderWayError when it gave one
   */
  static async take(
    pointers: Pointers,
    name: string,
    { beatEvery, deadAfter }: LeaseTimes = leaseTimes,
    onWatch: () => void = () => {},
  ): Promise<Lease> {
    const rebuilder = { id: randomUUID(), beat: 0 };
    const [seen = { live: 1 }] = await pointers.read([name]);
    if (seen.rebuilder) {
      onWatch();
      await watch(pointers, name, seen.rebuilder, deadAfter);
    }
    const pointer = { ...seen, rebuilder };
    // A repeated request finds the pointer to be this rebuilder's already.
    const taken =
      (await pointers.replace(name, pointer, seen.rebuilder)) || (await pointers.replace(name, pointer, rebuilder));
    if (!taken) throw new RebuildUnderWayError(name);
    // Before anything is read: what a stalled rebuilder has not written by now, it cannot write any more.
    await pointers.raiseFences(name, rebuilder.id);
    return new Lease(pointers, name, pointer, rebuilder, beatEvery);
  }

  /**
   * What makes a transaction fail once the lease is another rebuilder's: add it as the first write.
   * @param lane which of the fences; transactions under way at once must not share one, or they would cancel each other
   */
  fence(lane: number): ConditionalWrite {
    return this.#pointers.fence(this.#name, lane, this.#rebuilder.id);
  }

  /** Shows that the rebuilder lives, and learns whether the lease is still its own. @throws RebuildTakenOverError */
  renew(): Promise<void> {
    return this.change({});
  }

  get pointer(): Pointer {
    return this.#pointer;
  }

  /** Changes the pointer, in one write. @throws RebuildTakenOverError */
  change(change: { [Member in keyof Pointer]?: Pointer[Member] | undefined }): Promise<void> {
    const saved = this.#saving.then(async () => {
      const rebuilder = { ...this.#rebuilder, beat: (this.#pointer.rebuilder?.beat ?? 0) + 1 };
      const pointer = { ...this.#pointer, rebuilder, ...change } as Pointer;
      if (!(await this.#pointers.replace(this.#name, pointer, { id: this.#rebuilder.id }))) {
        throw new RebuildTakenOverError(this.#name);
      }
      this.#pointer = pointer;
    });
    this.#saving = saved.catch(() => undefined);
    return saved;
  }

  /** Gives the right back, so that the next rebuilder need not watch. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.change({ rebuilder: undefined });
  }
}

/** @throws RebuildUnderWayError as soon as the rebuilder shows that it lives */
async function watch(pointers: Pointers, name: string, seen: Rebuilder, deadAfter: number): Promise<void> {
  const looks = 10;
  for (let look = 0; look < looks; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, deadAfter / looks));
    const [{ rebuilder } = { rebuilder: undefined }] = await pointers.read([name]);
    if (rebuilder?.id !== seen.id || rebuilder.beat !== seen.beat) throw new RebuildUnderWayError(name);
  }
}
