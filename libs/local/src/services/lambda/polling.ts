/** A polling loop that can be paused and resumed, with the states of an event source mapping. */
export class Polling {
  readonly #loop: (signal: AbortSignal) => Promise<void>;
  #running: { abort: AbortController; ended: Promise<void> } | undefined;
  #wanted = false;

  /** @param loop polls until the signal aborts, and ends when nothing it started is under way any more */
  constructor(loop: (signal: AbortSignal) => Promise<void>) {
    this.#loop = loop;
  }

  get state(): 'Enabled' | 'Disabling' | 'Disabled' {
    if (!this.#running) return 'Disabled';
    return this.#running.abort.signal.aborted ? 'Disabling' : 'Enabled';
  }

  /** Starts the loop, or ends it and waits until it has ended. The last of several calls wins. */
  async set(enabled: boolean): Promise<void> {
    this.#wanted = enabled;
    if (!enabled) this.#running?.abort.abort();
    if (this.#running?.abort.signal.aborted) await this.#running.ended;
    if (this.#wanted) this.#running ??= this.#start();
  }

  #start(): { abort: AbortController; ended: Promise<void> } {
    const abort = new AbortController();
    const ended = this.#loop(abort.signal).finally(() => {
      this.#running = undefined;
    });
    return { abort, ended };
  }
}
