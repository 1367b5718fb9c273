/** Random choices that follow from a seed. https://en.wikipedia.org/wiki/Xorshift */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bf03635) | 1;
  }

  /** From 0 up to but without 1. */
  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  between(lowest: number, highest: number): number {
    return lowest + Math.floor(this.next() * (highest - lowest + 1));
  }

  one<Each>(choices: readonly [Each, ...Each[]] | readonly Each[]): Each {
    return choices[this.between(0, choices.length - 1)] as Each;
  }

  /** True in one of so many cases. */
  rarely(cases: number): boolean {
    return this.between(1, cases) === 1;
  }

  list<Each>(lowest: number, highest: number, make: (index: number) => Each): Each[] {
    return Array.from({ length: this.between(lowest, highest) }, (_, index) => make(index));
  }
}
