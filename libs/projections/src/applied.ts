/** Which events of an aggregate are in a projection: all up to one, and some beyond. */
export interface Applied {
  /** Every event up to this sequence is in; 0: none. */
  upTo: number;
  /** Those after the first that is not, ascending. */
  beyond: readonly number[];
}

export const nothingApplied: Applied = { upTo: 0, beyond: [] };

export function isApplied({ upTo, beyond }: Applied, sequence: number): boolean {
  return sequence <= upTo || beyond.includes(sequence);
}

/** With one more event, which must not be in yet. */
export function withApplied({ upTo, beyond }: Applied, sequence: number): Applied {
  const later = [...beyond, sequence].sort((a, b) => a - b);
  let end = upTo;
  while (later[0] === end + 1) {
    later.shift();
    end += 1;
  }
  return { upTo: end, beyond: later };
}
