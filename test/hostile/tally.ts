import type { InputReference } from './inputs.ts';

/** Something that is not as it must be. */
export interface Violation {
  what: string;
  /** The input behind it, where one can be told. */
  input?: InputReference;
}

/** How often each kind of hostility came to which outcome, by the way in. */
export class Tally {
  readonly #counts = new Map<string, Map<string, Map<string, number>>>();

  count(way: string, kind: string, outcome: string): void {
    const kinds = this.#counts.get(way) ?? new Map<string, Map<string, number>>();
    this.#counts.set(way, kinds);
    const outcomes = kinds.get(kind) ?? new Map<string, number>();
    kinds.set(kind, outcomes);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }

  /** Inputs that came in a way. */
  total(way: string): number {
    return [...(this.#counts.get(way) ?? new Map<string, Map<string, number>>()).values()].reduce(
      (sum, outcomes) => sum + [...outcomes.values()].reduce((a, b) => a + b, 0),
      0,
    );
  }

  /** One line for each kind, with how often it came to what. */
  lines(): string[] {
    return [...this.#counts].flatMap(([way, kinds]) => [
      `${way}: ${this.total(way)} inputs`,
      ...[...kinds]
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([kind, outcomes]) => {
          const listed = [...outcomes].sort(([, a], [, b]) => b - a).map(([outcome, count]) => `${outcome} ${count}`);
          return `  ${kind.padEnd(46)} ${listed.join(', ')}`;
        }),
    ]);
  }
}
