/**
 * Where contents are kept that are too large for an item: a claim check.
 * https://docs.aws.amazon.com/prescriptive-guidance/latest/cloud-design-patterns/claim-check.html
 */
export interface PayloadStore {
  /** Keeps `bytes` under `key`. Storing the same again changes nothing: a key names its content. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** What is kept under `key`, or undefined when nothing is. */
  get(key: string): Promise<Uint8Array | undefined>;
}

/** Stands in for a bucket in tests. */
export class InMemoryPayloadStore implements PayloadStore {
  readonly objects = new Map<string, Uint8Array>();

  async put(key: string, bytes: Uint8Array): Promise<void> {
    this.objects.set(key, bytes);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.objects.get(key);
  }
}
