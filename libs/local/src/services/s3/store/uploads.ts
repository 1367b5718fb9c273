import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { ContentChunk } from './contents.ts';
import type { ObjectAttributes, Tags } from './versions.ts';

/** A multipart upload that has been neither completed nor aborted. */
export interface Upload {
  id: string;
  bucket: string;
  key: string;
  initiatedAt: number;
  attributes: ObjectAttributes & { ChecksumAlgorithm?: string; ChecksumType?: string };
  tags: Tags;
}

export interface Part {
  number: number;
  blob: string;
  size: number;
  etag: string;
  modifiedAt: number;
  /** In base64. */
  checksum: { algorithm: string; value: string };
}

/** The multipart uploads under way, with their parts. */
export class Uploads {
  readonly #get: StatementSync;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #list: StatementSync;
  readonly #parts: StatementSync;
  readonly #putPart: StatementSync;
  readonly #part: StatementSync;
  readonly #deleteParts: StatementSync;

  constructor(database: DatabaseSync) {
    this.#get = database.prepare('SELECT * FROM uploads WHERE id = ?');
    this.#insert = database.prepare(
      'INSERT INTO uploads (id, bucket, key, initiated_at, attributes, tags) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#delete = database.prepare('DELETE FROM uploads WHERE id = ?');
    this.#list = database.prepare('SELECT * FROM uploads WHERE bucket = ? ORDER BY key, initiated_at, id');
    this.#parts = database.prepare('SELECT * FROM parts WHERE upload = ? ORDER BY number');
    this.#part = database.prepare('SELECT * FROM parts WHERE upload = ? AND number = ?');
    this.#putPart = database.prepare(
      `INSERT OR REPLACE INTO parts (upload, number, blob, size, etag, modified_at, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#deleteParts = database.prepare('DELETE FROM parts WHERE upload = ?');
  }

  get(id: string): Upload | undefined {
    return uploadOf(this.#get.get(id));
  }

  insert({ id, bucket, key, initiatedAt, attributes, tags }: Upload): void {
    this.#insert.run(id, bucket, key, initiatedAt, JSON.stringify(attributes), JSON.stringify(tags));
  }

  /** Of a bucket, by key and time. */
  list(bucket: string): Upload[] {
    return this.#list.all(bucket).map((row) => uploadOf(row) as Upload);
  }

  /** Keeps a part in place of the one with its number. @returns the content of that one */
  putPart(upload: string, { number, blob, size, etag, modifiedAt, checksum }: Part): ContentChunk[] {
    const previous = partOf(this.#part.get(upload, number));
    this.#putPart.run(upload, number, blob, size, etag, modifiedAt, JSON.stringify(checksum));
    return previous ? [previous] : [];
  }

  /** By number. */
  parts(upload: string): Part[] {
    return this.#parts.all(upload).map((row) => partOf(row) as Part);
  }

  /** Forgets an upload and its parts. @returns their contents */
  remove(id: string): ContentChunk[] {
    const parts = this.parts(id);
    this.#delete.run(id);
    this.#deleteParts.run(id);
    return parts;
  }
}

function uploadOf(row: Record<string, SQLOutputValue> | undefined): Upload | undefined {
  return (
    row && {
      id: String(row.id),
      bucket: String(row.bucket),
      key: String(row.key),
      initiatedAt: Number(row.initiated_at),
      attributes: JSON.parse(String(row.attributes)),
      tags: JSON.parse(String(row.tags)),
    }
  );
}

function partOf(row: Record<string, SQLOutputValue> | undefined): Part | undefined {
  return (
    row && {
      number: Number(row.number),
      blob: String(row.blob),
      size: Number(row.size),
      etag: String(row.etag),
      modifiedAt: Number(row.modified_at),
      checksum: JSON.parse(String(row.checksum)),
    }
  );
}
