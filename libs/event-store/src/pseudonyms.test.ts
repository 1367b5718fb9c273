import { createHmac } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import type { Kms } from '@millrace/aws';
import { pseudonymsFromEnvironment, pseudonymsOf } from './pseudonyms.ts';

const keyArn = 'arn:aws:kms:eu-central-1:123456789012:key/1';
/** The secret that KMS keeps. */
const secret = Buffer.alloc(32, 7);

function keyService() {
  const asked: unknown[] = [];
  const state: { error: Error | undefined; length: number } = { error: undefined, length: 32 };
  const client = {
    send: async ({ input }: { input: { Message: Uint8Array } }) => {
      asked.push(input);
      if (state.error) throw state.error;
      return { Mac: createHmac('sha256', secret).update(input.Message).digest().subarray(0, state.length) };
    },
  } as unknown as Kms;
  return { client, asked, state };
}

afterEach(() => {
  delete process.env.MILLRACE_PSEUDONYM_KEY_ARN;
});

test('a pseudonym is the code of the id, by a key that is a code itself', async () => {
  const { client, asked } = keyService();
  const pseudonymize = await pseudonymsOf(keyArn, client)();

  const derived = createHmac('sha256', secret).update('millrace/pseudonyms/v1').digest();
  expect(pseudonymize('customer-1')).toBe(
    createHmac('sha256', derived).update('customer-1').digest('hex').slice(0, 32),
  );
  expect(pseudonymize('customer-2')).not.toBe(pseudonymize('customer-1'));
  expect(asked).toEqual([
    { KeyId: keyArn, MacAlgorithm: 'HMAC_SHA_256', Message: Buffer.from('millrace/pseudonyms/v1') },
  ]);
});

test('KMS is asked once, also by several at once', async () => {
  const { client, asked } = keyService();
  const source = pseudonymsOf(keyArn, client);
  const [one, two] = await Promise.all([source(), source()]);
  const three = await source();
  expect(asked).toHaveLength(1);
  expect(new Set([one, two, three].map((pseudonymize) => pseudonymize('customer-1'))).size).toBe(1);
});

test('a failure is not remembered', async () => {
  const { client, state } = keyService();
  const source = pseudonymsOf(keyArn, client);
  state.error = new Error('KMS is down');
  await expect(source()).rejects.toThrow('KMS is down');
  state.error = undefined;
  state.length = 16;
  await expect(source()).rejects.toThrow('32 bytes');
  state.length = 32;
  expect((await source())('customer-1')).toMatch(/^[0-9a-f]{32}$/);
});

test('the key is that of the environment', () => {
  expect(pseudonymsFromEnvironment).toThrow(/^MILLRACE_PSEUDONYM_KEY_ARN must be the ARN/);
  process.env.MILLRACE_PSEUDONYM_KEY_ARN = keyArn;
  expect(pseudonymsFromEnvironment()).toEqual(expect.any(Function));
});
