import { KMSClient, GenerateMacCommand as SdkGenerateMacCommand } from '@aws-sdk/client-kms';
import { expect, test } from '@jest/globals';
import { bodyOf, ours, theirs } from '../fixtures/recorded-clients.ts';
import { GenerateMacCommand, kms } from './index.ts';

const input = {
  KeyId: 'arn:aws:kms:eu-central-1:123456789012:key/1',
  MacAlgorithm: 'HMAC_SHA_256',
  Message: new Uint8Array([0, 255, 128, 10]),
} as const;
const Mac = new Uint8Array([1, 2, 253, 254]);
const answer = {
  body: JSON.stringify({ KeyId: input.KeyId, Mac: Buffer.from(Mac).toString('base64'), MacAlgorithm: 'HMAC_SHA_256' }),
};

test('a code has the request and the answer of the SDK', async () => {
  const [recorded, expected] = [ours(answer), theirs(answer)];
  const output = await kms(recorded.options).send(new GenerateMacCommand(input));
  const { $metadata: _, ...rest } = await new KMSClient(expected.options).send(new SdkGenerateMacCommand(input));

  expect(output).toEqual(rest);
  expect(output.Mac).toEqual(Mac);
  const [our, their] = [recorded.sent[0], expected.sent[0]];
  expect(bodyOf(our)).toEqual(bodyOf(their));
  for (const name of ['x-amz-target', 'content-type']) expect(our?.headers[name]).toBe(their?.headers[name]);
  expect(our?.hostname).toBe(their?.hostname);
});

test('a refusal has its name', async () => {
  const error = { __type: 'DisabledException', message: 'the key is disabled.' };
  const client = kms(ours({ statusCode: 400, body: JSON.stringify(error) }).options);
  await expect(client.send(new GenerateMacCommand(input))).rejects.toMatchObject({
    name: 'DisabledException',
    message: 'the key is disabled.',
  });
});
