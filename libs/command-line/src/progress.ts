import { formatDuration } from './duration.ts';

const BAR_WIDTH = 30;
/** In ms. */
const REDRAW_EVERY = 100;
/** In ms. */
const LINE_EVERY = 5_000;

/** Where progress is shown: standard error, so that standard output holds results alone. */
export interface ProgressStream {
  isTTY?: boolean;
  write(text: string): unknown;
}

/** Shows how far something is: as a bar on a terminal, as a line every five seconds elsewhere. */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #label: string;
  readonly #now: () => number;
  readonly #startedAt: number;
  #shownAt: number;
  #drawn = false;

  constructor(stream: ProgressStream, label: string, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#label = label;
    this.#now = now;
    this.#startedAt = now();
    this.#shownAt = stream.isTTY ? Number.NEGATIVE_INFINITY : this.#startedAt;
  }

  /**
   * @param share 0 to 1
   * @param text what else is to be said
   */
  update(share: number, text: string): void {
    const now = this.#now();
    if (now - this.#shownAt < (this.#stream.isTTY ? REDRAW_EVERY : LINE_EVERY)) return;
    this.#shownAt = now;
    const bounded = Math.min(1, Math.max(0, share));
    const percent = `${Math.floor(bounded * 100)} %`;
    if (!this.#stream.isTTY) {
      this.#stream.write(`${this.#label}: ${percent}, ${text}\n`);
      return;
    }
    const filled = Math.round(bounded * BAR_WIDTH);
    const elapsed = now - this.#startedAt;
    const left = bounded > 0.02 && bounded < 1 ? `, ${formatDuration((elapsed * (1 - bounded)) / bounded)} left` : '';
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
    // Back to the line's start, and away with what the last one had more.
    this.#stream.write(`\r${this.#label} ${bar} ${percent.padStart(5)}  ${text}${left}\u001b[K`);
    this.#drawn = true;
  }

  /** Takes the bar away: what follows says how it ended. */
  end(): void {
    if (this.#drawn) this.#stream.write('\r\u001b[K');
    this.#drawn = false;
  }
}
