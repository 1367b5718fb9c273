/** What happened in a history, as a person can read it. */
export class Trace {
  readonly #time: () => number;
  readonly #lines: { at: number; who: string; text: string; fault: boolean }[] = [];

  /** @param time ms since the history began */
  constructor(time: () => number) {
    this.#time = time;
  }

  add(who: string, text: string): void {
    this.#lines.push({ at: this.#time(), who, text, fault: false });
  }

  /** Something goes wrong that the plan wants. */
  fault(who: string, text: string): void {
    this.#lines.push({ at: this.#time(), who, text, fault: true });
  }

  /** One line for each event: time, who, what; faults begin with `!!`. */
  lines(): string[] {
    return this.#lines.map(
      ({ at, who, text, fault }) => `${clock(at).padStart(12)}  ${fault ? '!!' : '  '} ${who.padEnd(34)} ${text}`,
    );
  }
}

/** @example clock(61_500) // '1:01.500' */
function clock(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = ((ms % 60_000) / 1000).toFixed(3).padStart(6, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
}
