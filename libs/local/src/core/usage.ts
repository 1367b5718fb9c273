/**
 * What is counted: the units that AWS bills, and those that its quotas are about, by the name of a service, e.g. `sqs.requests`. Each
 * service says of its meters what they count.
 */
export type Meter = `${string}.${string}`;

/** How much of one thing was used. */
export interface UsageEntry {
  meter: Meter;
  resource: string;
  /** Of the API, where there are several: `ReceiveMessage`. */
  operation: string;
  amount: number;
}

/** Counts what AWS would bill for, and what its quotas are about, while the runtime runs. */
export class Usage {
  readonly #entries = new Map<string, UsageEntry>();
  #additions = 0;

  add(meter: Meter, resource: string, amount: number, operation = ''): void {
    this.#additions += 1;
    const key = [meter, resource, operation].join('\n');
    const entry = this.#entries.get(key);
    if (entry) entry.amount += amount;
    else this.#entries.set(key, { meter, resource, operation, amount });
  }

  /** Everything since the start or the last clear, ordered by meter, resource and operation. */
  entries(): UsageEntry[] {
    return [...this.#entries].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, entry]) => ({ ...entry }));
  }

  /** The sum of one meter, of all resources or of one. */
  total(meter: Meter, resource?: string): number {
    let sum = 0;
    for (const entry of this.#entries.values()) {
      if (entry.meter === meter && (resource === undefined || entry.resource === resource)) sum += entry.amount;
    }
    return sum;
  }

  /** How often something was counted since the start. While nothing happens it does not change. */
  get additions(): number {
    return this.#additions;
  }

  clear(): void {
    this.#entries.clear();
  }
}
