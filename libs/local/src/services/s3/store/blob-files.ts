import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Where contents are kept, each under an id that is never used again. */
export interface Blobs {
  /** Keeps a content to its end. Keeps nothing of one that fails. @returns its id */
  write(source: AsyncIterable<Uint8Array>): Promise<string>;
  /** Bytes from `start` to before `end`. */
  read(id: string, start: number, end: number): AsyncIterable<Uint8Array>;
  delete(id: string): Promise<void>;
  /** Deletes all but these, which a process may have left that ended before it had taken note of them. */
  retain(ids: ReadonlySet<string>): void;
}

/** Contents in memory. */
export class MemoryBlobs implements Blobs {
  readonly #contents = new Map<string, Buffer>();

  async write(source: AsyncIterable<Uint8Array>): Promise<string> {
    const id = randomUUID();
    const chunks: Uint8Array[] = [];
    for await (const chunk of source) chunks.push(chunk);
    this.#contents.set(id, Buffer.concat(chunks));
    return id;
  }

  async *read(id: string, start: number, end: number): AsyncIterable<Uint8Array> {
    const content = this.#contents.get(id);
    if (!content) throw new Error(`The content ${id} is missing`);
    yield content.subarray(start, end);
  }

  async delete(id: string): Promise<void> {
    this.#contents.delete(id);
  }

  retain(): void {}
}

/** Contents in files, in 256 folders. */
export class FileBlobs implements Blobs {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    for (let folder = 0; folder < 256; folder += 1) {
      mkdirSync(join(directory, folder.toString(16).padStart(2, '0')), { recursive: true });
    }
  }

  async write(source: AsyncIterable<Uint8Array>): Promise<string> {
    const id = randomUUID();
    try {
      await pipeline(source, createWriteStream(this.#path(id), { flags: 'wx' }));
      return id;
    } catch (error) {
      await this.delete(id);
      throw error;
    }
  }

  read(id: string, start: number, end: number): AsyncIterable<Uint8Array> {
    return createReadStream(this.#path(id), { start, end: end - 1 }) as AsyncIterable<Buffer>;
  }

  async delete(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
  }

  retain(ids: ReadonlySet<string>): void {
    for (const entry of readdirSync(this.#directory, { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && !ids.has(entry.name)) rmSync(join(entry.parentPath, entry.name), { force: true });
    }
  }

  #path(id: string): string {
    return join(this.#directory, id.slice(0, 2), id);
  }
}
