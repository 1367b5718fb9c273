import { KMSClient, GenerateMacCommand as SdkGenerateMacCommand } from '@aws-sdk/client-kms';
import { expect, test } from '@jest/globals';
import { GenerateMacCommand, kms } from './index.ts';
import type { HttpRequest } from './transport.ts';

const settings = { region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 's' } };
const input = {
  KeyId: 'arn:aws:kms:eu-central-1:123456789012:key/1',
  MacAlgorithm: 'HMAC_SHA_256',
  Message: new Uint8Array([0, 255, 128, 10]),
} as const;
const Mac = new Uint8Array([1, 2, 253, 254]);
const answer = Buffer.from(
  JSON.stringify({ KeyId: input.KeyId, Mac: Buffer.from(Mac).toString('base64'), MacAlgorithm: 'HMAC_SHA_256' }),
);

test('a code has the request and the answer of the SDK', async () => {
  const sent: HttpRequest[] = [];
  const ours = await kms({
    ...settings,
    transport: async (request) => {
      sent.push(request);
      return { statusCode: 200, headers: {}, body: answer };
    },
  }).send(new GenerateMacCommand(input));
  const theirs: { headers: Record<string, string>; body: Uint8Array | string; hostname: string }[] = [];
  const requestHandler = {
    handle: async (request: (typeof theirs)[number]) => {
      theirs.push(request);
      return { response: { statusCode: 200, headers: {}, body: answer } };
    },
  };
  const client = new KMSClient({ ...settings, requestHandler: requestHandler as never });
  const { $metadata: _, ...output } = await client.send(new SdkGenerateMacCommand(input));

  expect(ours).toEqual(output);
  expect(ours.Mac).toEqual(Mac);
  const [own, their] = [sent[0], theirs[0]];
  expect(JSON.parse(String(own?.body))).toEqual(JSON.parse(String(their?.body)));
  for (const name of ['x-amz-target', 'content-type']) expect(own?.headers[name]).toBe(their?.headers[name]);
  expect(own?.hostname).toBe(their?.hostname);
});

test('a refusal has its name', async () => {
  const client = kms({
    ...settings,
    transport: async () => ({
      statusCode: 400,
      headers: {},
      body: Buffer.from(JSON.stringify({ __type: 'DisabledException', message: 'the key is disabled.' })),
    }),
  });
  await expect(client.send(new GenerateMacCommand(input))).rejects.toMatchObject({
    name: 'DisabledException',
    message: 'the key is disabled.',
  });
});
