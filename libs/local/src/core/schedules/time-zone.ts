/** A date and time as a clock on a wall shows it, in milliseconds since the epoch as if it were UTC. */
export type WallTime = number;

const HOUR_MS = 3_600_000;

/**
 * A time zone of the IANA database, with its daylight saving.
 *
 * @example
 * new TimeZone('Europe/Berlin').instantOf(Date.UTC(2026, 2, 29, 2, 30)); // undefined: clocks went from 2 to 3
 */
export class TimeZone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #isUtc: boolean;

  /** @throws RangeError for a name that the database does not have */
  constructor(name: string) {
    this.name = name;
    this.#isUtc = name === 'UTC';
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** What clocks show at an instant. */
  wallTimeOf(instant: number): WallTime {
    if (this.#isUtc) return instant;
    const parts = new Map(this.#format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const seconds = Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    );
    return seconds + (((instant % 1000) + 1000) % 1000);
  }

  /**
   * When clocks show a time: the first of two times where clocks are set back.
   * @returns undefined where clocks skip it
   */
  instantOf(wallTime: WallTime): number | undefined {
    if (this.#isUtc) return wallTime;
    // Offsets change by some hours at most, so the two that can apply are those half a day around.
    const offsets = [-24 * HOUR_MS, 24 * HOUR_MS].map((distance) => {
      const around = wallTime + distance;
      return this.wallTimeOf(around) - around;
    });
    return offsets
      .map((offset) => wallTime - offset)
      .filter((instant) => this.wallTimeOf(instant) === wallTime)
      .sort((one, other) => one - other)[0];
  }
}
