import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Blobs } from './blob-files.ts';

/** A blob that is the content of an object, or one part of it. */
export interface ContentChunk {
  blob: string;
  size: number;
}

/** The content of an object, or a range of it. It must be read or disposed of: until then its blobs are kept. */
export interface ObjectBody extends AsyncIterable<Uint8Array>, Disposable {}

/** The contents of all objects and of all parts. */
export class Contents {
  readonly #blobs: Blobs;
  readonly #isUsed: StatementSync;
  /** How many readers each blob has. */
  readonly #readers = new Map<string, number>();
  /** Checked again when their last reader has ended. */
  readonly #released = new Set<string>();

  constructor(database: DatabaseSync, blobs: Blobs) {
    this.#blobs = blobs;
    this.#isUsed = database.prepare(
      'SELECT EXISTS (SELECT 1 FROM contents WHERE blob = :blob) OR EXISTS (SELECT 1 FROM parts WHERE blob = :blob) AS used',
    );
    const used = database.prepare('SELECT blob FROM contents UNION SELECT blob FROM parts').all();
    blobs.retain(new Set(used.map(({ blob }) => String(blob))));
  }

  /** Keeps a content whose object is still to be written. @returns the id of its blob */
  write(source: AsyncIterable<Uint8Array>): Promise<string> {
    return this.#blobs.write(source);
  }

  /** Reads the bytes from `start` to before `end` of chunks that follow each other. */
  read(chunks: readonly ContentChunk[], start: number, end: number): ObjectBody {
    const ids = new Set(chunks.map(({ blob }) => blob));
    for (const id of ids) this.#readers.set(id, (this.#readers.get(id) ?? 0) + 1);
    let isOpen = true;
    const dispose = (): void => {
      if (isOpen) for (const id of ids) this.#leave(id);
      isOpen = false;
    };
    const blobs = this.#blobs;
    return {
      async *[Symbol.asyncIterator]() {
        try {
          let position = 0;
          for (const { blob, size } of chunks) {
            const from = Math.max(start - position, 0);
            const to = Math.min(end - position, size);
            if (from < to) yield* blobs.read(blob, from, to);
            position += size;
          }
        } finally {
          dispose();
        }
      },
      [Symbol.dispose]: dispose,
    };
  }

  /**
   * Deletes those of these blobs that no object and no part has, after their last reader has ended. Call it after the transaction that
   * removed them: a deleted file does not come back when that is rolled back.
   */
  release(chunks: readonly ContentChunk[]): void {
    for (const { blob } of chunks) {
      if (this.#readers.has(blob)) this.#released.add(blob);
      else this.#deleteUnused(blob);
    }
  }

  #leave(id: string): void {
    const readers = (this.#readers.get(id) ?? 1) - 1;
    if (readers > 0) {
      this.#readers.set(id, readers);
      return;
    }
    this.#readers.delete(id);
    if (this.#released.delete(id)) this.#deleteUnused(id);
  }

  #deleteUnused(blob: string): void {
    if (this.#isUsed.get({ blob })?.used === 1) return;
    // A file that cannot be deleted now is deleted at the next start.
    this.#blobs.delete(blob).catch(() => {});
  }
}
