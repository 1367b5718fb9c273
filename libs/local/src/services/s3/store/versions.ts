import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { ContentChunk } from './contents.ts';

/** Headers, metadata and checksum of an object. */
export interface ObjectAttributes {
  ContentType?: string;
  ContentEncoding?: string;
  ContentDisposition?: string;
  ContentLanguage?: string;
  CacheControl?: string;
  Expires?: string;
  WebsiteRedirectLocation?: string;
  StorageClass?: string;
  ServerSideEncryption?: string;
  SSEKMSKeyId?: string;
  BucketKeyEnabled?: boolean;
  Metadata?: Record<string, string>;
  Checksum?: ObjectChecksum;
  /** Of an object that was uploaded in parts: their sizes and checksums. */
  Parts?: { number: number; size: number; checksum?: string }[];
}

export interface ObjectChecksum {
  algorithm: string;
  /** In base64; of a composite checksum with the number of parts behind it. */
  value: string;
  type: 'FULL_OBJECT' | 'COMPOSITE';
}

export type Tags = Record<string, string>;

/** A version of an object, or a delete marker. */
export interface ObjectVersion {
  id: number;
  bucket: string;
  key: string;
  versionId: string;
  latest: boolean;
  deleteMarker: boolean;
  size: number;
  etag: string;
  /** Milliseconds, of a whole second. */
  modifiedAt: number;
  attributes: ObjectAttributes;
  tags: Tags;
}

export type NewVersion = Omit<ObjectVersion, 'id' | 'latest'>;

/** Where a listing begins: at this key, or behind it or behind one of its versions. */
export interface VersionRange {
  from: string;
  exclusive?: boolean;
  /** Of a listing of all versions: the first of the key `from` that come are those older than this id. */
  beforeId?: number | undefined;
}

/** The versions of all objects, in the order of their keys' UTF-8 bytes, of one key from the newest to the oldest. */
export class Versions {
  readonly #latest: StatementSync;
  readonly #one: StatementSync;
  readonly #newest: StatementSync;
  readonly #insert: StatementSync;
  readonly #insertContent: StatementSync;
  readonly #contents: StatementSync;
  readonly #setLatest: StatementSync;
  readonly #delete: StatementSync;
  readonly #deleteContents: StatementSync;
  readonly #setTags: StatementSync;
  readonly #setAttributes: StatementSync;
  readonly #any: StatementSync;
  readonly #listLatest: StatementSync;
  readonly #listAll: StatementSync;

  constructor(database: DatabaseSync) {
    const select = 'SELECT * FROM versions WHERE bucket = :bucket';
    this.#latest = database.prepare(`${select} AND key = :key AND latest = 1`);
    this.#one = database.prepare(`${select} AND key = :key AND version_id = :versionId`);
    this.#newest = database.prepare(`${select} AND key = :key ORDER BY id DESC LIMIT 1`);
    this.#any = database.prepare('SELECT 1 FROM versions WHERE bucket = ? LIMIT 1');
    this.#insert = database.prepare(
      `INSERT INTO versions (bucket, key, version_id, latest, delete_marker, size, etag, modified_at, attributes, tags)
       VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertContent = database.prepare('INSERT INTO contents (version, position, blob, size) VALUES (?, ?, ?, ?)');
    this.#contents = database.prepare('SELECT blob, size FROM contents WHERE version = ? ORDER BY position');
    this.#setLatest = database.prepare('UPDATE versions SET latest = ? WHERE id = ?');
    this.#delete = database.prepare('DELETE FROM versions WHERE id = ?');
    this.#deleteContents = database.prepare('DELETE FROM contents WHERE version = ?');
    this.#setTags = database.prepare('UPDATE versions SET tags = ? WHERE id = ?');
    this.#setAttributes = database.prepare('UPDATE versions SET attributes = ? WHERE id = ?');
    const after = '(key > :from OR (key = :from AND :inclusive = 1))';
    this.#listLatest = database.prepare(
      `${select} AND latest = 1 AND delete_marker = 0 AND ${after} ORDER BY key LIMIT :limit`,
    );
    this.#listAll = database.prepare(
      `${select} AND (${after} OR (key = :from AND id < :beforeId)) ORDER BY key, id DESC LIMIT :limit`,
    );
  }

  /** The newest version, which may be a delete marker. */
  latest(bucket: string, key: string): ObjectVersion | undefined {
    return versionOf(this.#latest.get({ bucket, key }));
  }

  get(bucket: string, key: string, versionId: string): ObjectVersion | undefined {
    return versionOf(this.#one.get({ bucket, key, versionId }));
  }

  /** Adds a version, which is the latest from now on. */
  insert(version: NewVersion, chunks: readonly ContentChunk[]): number {
    const { bucket, key, versionId, deleteMarker, size, etag, modifiedAt, attributes, tags } = version;
    const previous = this.latest(bucket, key);
    if (previous) this.#setLatest.run(0, previous.id);
    const { lastInsertRowid } = this.#insert.run(
      bucket,
      key,
      versionId,
      deleteMarker ? 1 : 0,
      size,
      etag,
      modifiedAt,
      JSON.stringify(attributes),
      JSON.stringify(tags),
    );
    chunks.forEach((chunk, position) => {
      this.#insertContent.run(lastInsertRowid, position, chunk.blob, chunk.size);
    });
    return Number(lastInsertRowid);
  }

  /** Removes a version for good. @returns its content, which may be unused now */
  remove(version: ObjectVersion): ContentChunk[] {
    const chunks = this.chunks(version.id);
    this.#delete.run(version.id);
    this.#deleteContents.run(version.id);
    const { bucket, key } = version;
    const next = versionOf(this.#newest.get({ bucket, key }));
    if (next && !next.latest) this.#setLatest.run(1, next.id);
    return chunks;
  }

  chunks(id: number): ContentChunk[] {
    return this.#contents.all(id) as unknown as ContentChunk[];
  }

  setTags(id: number, tags: Tags): void {
    this.#setTags.run(JSON.stringify(tags), id);
  }

  setAttributes(id: number, attributes: ObjectAttributes): void {
    this.#setAttributes.run(JSON.stringify(attributes), id);
  }

  hasAny(bucket: string): boolean {
    return this.#any.get(bucket) !== undefined;
  }

  /** The objects of a bucket: latest versions that are not delete markers. */
  listLatest(bucket: string, { from, exclusive }: VersionRange, limit: number): ObjectVersion[] {
    const rows = this.#listLatest.all({ bucket, from, inclusive: exclusive ? 0 : 1, limit });
    return rows.map((row) => versionOf(row) as ObjectVersion);
  }

  /** All versions and delete markers of a bucket. */
  listAll(bucket: string, { from, exclusive, beforeId = 0 }: VersionRange, limit: number): ObjectVersion[] {
    const inclusive = exclusive || beforeId > 0 ? 0 : 1;
    const rows = this.#listAll.all({ bucket, from, inclusive, beforeId, limit });
    return rows.map((row) => versionOf(row) as ObjectVersion);
  }
}

function versionOf(row: Record<string, SQLOutputValue> | undefined): ObjectVersion | undefined {
  return (
    row && {
      id: Number(row.id),
      bucket: String(row.bucket),
      key: String(row.key),
      versionId: String(row.version_id),
      latest: row.latest === 1,
      deleteMarker: row.delete_marker === 1,
      size: Number(row.size),
      etag: String(row.etag),
      modifiedAt: Number(row.modified_at),
      attributes: JSON.parse(String(row.attributes)),
      tags: JSON.parse(String(row.tags)),
    }
  );
}
