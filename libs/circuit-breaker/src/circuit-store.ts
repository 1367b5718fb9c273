import { type Circuit, newCircuit } from './circuit.ts';

/** A circuit as it was read. */
export interface StoredCircuit {
  circuit: Circuit;
  /** How often it was written: a write names the revision that it was decided on. 0 when there is no item yet. */
  revision: number;
}

/** Where the state of a circuit is kept, for all containers. */
export interface CircuitStore {
  /** Reads the circuit as the last write left it. */
  load(): Promise<StoredCircuit>;
  /**
   * Replaces the circuit unless it was written since.
   * @returns false when another container was faster, and nothing was written
   */
  save(circuit: Circuit, expectedRevision: number): Promise<boolean>;
}

/** A store for tests: as many breakers as share it are as many containers. */
export class InMemoryCircuitStore implements CircuitStore {
  #stored: StoredCircuit = { circuit: newCircuit, revision: 0 };

  async load(): Promise<StoredCircuit> {
    return this.#stored;
  }

  async save(circuit: Circuit, expectedRevision: number): Promise<boolean> {
    if (this.#stored.revision !== expectedRevision) return false;
    this.#stored = { circuit, revision: expectedRevision + 1 };
    return true;
  }
}
