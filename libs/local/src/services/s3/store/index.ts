import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { openDatabase, transaction } from '../../../core/sqlite.ts';
import { FileBlobs, MemoryBlobs } from './blob-files.ts';
import { Buckets } from './buckets.ts';
import { Contents } from './contents.ts';
import { s3Schema } from './schema.ts';
import { Uploads } from './uploads.ts';
import { Versions } from './versions.ts';

export type { Bucket } from './buckets.ts';
export type { ContentChunk, ObjectBody } from './contents.ts';
export type { Part, Upload } from './uploads.ts';
export type { ObjectAttributes, ObjectVersion, Tags } from './versions.ts';

/** Everything S3 keeps: an index in SQLite, and the contents beside it. */
export class S3Store implements Disposable {
  readonly database: DatabaseSync;
  readonly buckets: Buckets;
  readonly versions: Versions;
  readonly uploads: Uploads;
  readonly contents: Contents;
  readonly #nextSequence: StatementSync;

  /** @param directory for this store alone; in memory without one */
  constructor(directory?: string) {
    this.database = openDatabase(directory, 's3.db', s3Schema);
    this.buckets = new Buckets(this.database);
    this.versions = new Versions(this.database);
    this.uploads = new Uploads(this.database);
    this.#nextSequence = this.database.prepare('UPDATE sequence SET value = value + 1 RETURNING value');
    const blobs = directory === undefined ? new MemoryBlobs() : new FileBlobs(join(directory, 'contents'));
    this.contents = new Contents(this.database, blobs);
  }

  /** Makes the writes of a function together, or not at all. It must not wait in between. */
  transaction<T>(write: () => T): T {
    return transaction(this.database, write);
  }

  /** A number that grows with every change of an object. */
  nextSequence(): number {
    return Number(this.#nextSequence.get()?.value);
  }

  [Symbol.dispose](): void {
    this.database.close();
  }
}
