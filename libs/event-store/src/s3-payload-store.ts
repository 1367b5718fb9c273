import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { PayloadStore } from './payload-store.ts';

/**
 * Contents in an S3 bucket. A writer needs `s3:PutObject`, a reader `s3:GetObject` on the objects and `s3:ListBucket` on
 * the bucket: without it S3 says of a missing object that access is denied.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export class S3PayloadStore implements PayloadStore {
  readonly #client: Pick<S3Client, 'send'>;
  readonly #bucket: string;

  constructor(bucket: string, client: Pick<S3Client, 'send'> = new S3Client({})) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const input = { Bucket: this.#bucket, Key: key, Body: bytes, ContentType: 'application/zstd' };
    await this.#client.send(new PutObjectCommand(input));
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    try {
      const { Body: body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
      return await body?.transformToByteArray();
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }
}
