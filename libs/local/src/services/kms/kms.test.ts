import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeKeyCommand,
  EncryptCommand,
  GenerateMacCommand,
  KMSClient,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { CloudFormationTemplate } from '@millrace/cloudformation';
import { type ServiceOnPort, startServiceOnPort } from '../../service-on-port.ts';
import { kms } from './index.ts';
import type { Keys } from './keys.ts';

let stack = new AsyncDisposableStack();
let server: ServiceOnPort<Keys> | undefined;
let client: KMSClient;

afterEach(async () => {
  client?.destroy();
  await server?.[Symbol.asyncDispose]();
  server = undefined;
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const hmac = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' };

/** A cloud with the keys `Signer` and `Cipher`, and the alias of the first. */
async function start(signer: object = hmac, options: { dataDirectory?: string } = {}): Promise<string> {
  server = await startServiceOnPort(kms, {
    ...options,
    template: {
      Resources: {
        Signer: { Type: 'AWS::KMS::Key', Properties: { Description: 'Codes', ...signer } },
        Cipher: { Type: 'AWS::KMS::Key', Properties: { EnableKeyRotation: true } },
        SignerAlias: {
          Type: 'AWS::KMS::Alias',
          Properties: { AliasName: 'alias/signer', TargetKeyId: { Ref: 'Signer' } },
        },
      },
    } as CloudFormationTemplate,
  });
  client = new KMSClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'operator', secretAccessKey: 'x' },
    maxAttempts: 1,
  });
  return keyArn('HMAC');
}

const keyArn = (spec: string): string => {
  const keys = server?.handle.summary() as { arn: string; spec: string }[];
  return keys.find((key) => key.spec.startsWith(spec))?.arn ?? '';
};
const text = (value: string) => new TextEncoder().encode(value);
const MacAlgorithm = 'HMAC_SHA_256';

// https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html
describe('GenerateMac', () => {
  test('gives the same code for the same message, whichever way the key is named', async () => {
    const KeyId = await start();
    const Message = text('millrace');
    const answers = await Promise.all(
      [KeyId, KeyId.split('/')[1], 'alias/signer', 'arn:aws:kms:us-east-1:000000000000:alias/signer'].map((name) =>
        client.send(new GenerateMacCommand({ KeyId: name, MacAlgorithm, Message })),
      ),
    );
    expect(answers[0]).toMatchObject({ KeyId, MacAlgorithm });
    expect(answers[0]?.Mac).toHaveLength(32);
    for (const { Mac } of answers) expect(Mac).toEqual(answers[0]?.Mac);
    const other = await client.send(new GenerateMacCommand({ KeyId, MacAlgorithm, Message: text('millracf') }));
    expect(other.Mac).not.toEqual(answers[0]?.Mac);
  });

  test('codes of each spec have their length', async () => {
    for (const [bits, length] of [
      [224, 28],
      [384, 48],
      [512, 64],
    ] as const) {
      const KeyId = await start({ ...hmac, KeySpec: `HMAC_${bits}` });
      const input = { KeyId, MacAlgorithm: `HMAC_SHA_${bits}`, Message: text('m') } as const;
      expect((await client.send(new GenerateMacCommand(input))).Mac).toHaveLength(length);
      client.destroy();
      await server?.[Symbol.asyncDispose]();
    }
  });

  test.each([
    ['an empty message', { Message: new Uint8Array() }, 'ValidationException'],
    ['a message of more than 4,096 bytes', { Message: new Uint8Array(4097) }, 'ValidationException'],
    ['an algorithm that is not known', { MacAlgorithm: 'HMAC_MD5' }, 'ValidationException'],
    ['the algorithm of another spec', { MacAlgorithm: 'HMAC_SHA_512' }, 'InvalidKeyUsageException'],
    ['a key that is not there', { KeyId: '00000000-0000-4000-8000-000000000000' }, 'NotFoundException'],
    ['an alias that is not there', { KeyId: 'alias/nobody' }, 'NotFoundException'],
    ['a key of another region', { KeyId: 'arn:aws:kms:eu-west-1:000000000000:key/1' }, 'NotFoundException'],
    ['a grant', { GrantTokens: ['token'] }, 'InvalidGrantTokenException'],
    ['a dry run', { DryRun: true }, 'DryRunOperationException'],
  ])('refuses %s', async (_, change, name) => {
    const KeyId = await start();
    const input = { KeyId, MacAlgorithm, Message: text('m'), ...change } as never;
    await expect(client.send(new GenerateMacCommand(input))).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode: 400 },
    });
  });

  test('takes a message of 4,096 bytes', async () => {
    const KeyId = await start();
    const input = { KeyId, MacAlgorithm, Message: new Uint8Array(4096) } as const;
    expect((await client.send(new GenerateMacCommand(input))).Mac).toHaveLength(32);
  });

  test('refuses a key that encrypts', async () => {
    await start();
    const input = { KeyId: keyArn('SYMMETRIC'), MacAlgorithm, Message: text('m') } as const;
    await expect(client.send(new GenerateMacCommand(input))).rejects.toMatchObject({
      name: 'InvalidKeyUsageException',
    });
  });

  // https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
  test.each([
    [{ Enabled: false }, 'DisabledException'],
    [{ Origin: 'EXTERNAL' }, 'KMSInvalidStateException'],
  ])('refuses a key with %j', async (properties, name) => {
    const KeyId = await start({ ...hmac, ...properties });
    // Also a dry run, which says what would happen.
    const input = { KeyId, MacAlgorithm, Message: text('m'), DryRun: true } as const;
    await expect(client.send(new GenerateMacCommand(input))).rejects.toMatchObject({ name });
  });
});

// https://docs.aws.amazon.com/kms/latest/APIReference/API_VerifyMac.html
describe('VerifyMac', () => {
  test('confirms a code, and refuses another', async () => {
    const KeyId = await start();
    const input = { KeyId, MacAlgorithm, Message: text('m') } as const;
    const { Mac = new Uint8Array() } = await client.send(new GenerateMacCommand(input));
    expect(await client.send(new VerifyMacCommand({ ...input, Mac }))).toMatchObject({ KeyId, MacValid: true });
    for (const wrong of [Mac.map((byte) => byte ^ 1), Mac.slice(1)]) {
      await expect(client.send(new VerifyMacCommand({ ...input, Mac: wrong }))).rejects.toMatchObject({
        name: 'KMSInvalidMacException',
      });
    }
    await expect(
      client.send(new VerifyMacCommand({ ...input, Message: text('n'), Mac, DryRun: true })),
    ).rejects.toMatchObject({ name: 'KMSInvalidMacException' });
  });
});

// https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
test('DescribeKey tells what a key is for, and nothing of its secret', async () => {
  const KeyId = await start();
  const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: 'alias/signer' }));
  const { CreationDate, ...metadata } = KeyMetadata as NonNullable<typeof KeyMetadata>;
  expect(CreationDate).toBeInstanceOf(Date);
  expect(metadata).toEqual({
    ...{ AWSAccountId: '000000000000', KeyId: KeyId.split('/')[1], Arn: KeyId, Description: 'Codes', Enabled: true },
    ...{ KeyState: 'Enabled', KeyUsage: 'GENERATE_VERIFY_MAC', KeySpec: 'HMAC_256', MacAlgorithms: ['HMAC_SHA_256'] },
    ...{ CustomerMasterKeySpec: 'HMAC_256', KeyManager: 'CUSTOMER', MultiRegion: false, Origin: 'AWS_KMS' },
  });
  const cipher = await client.send(new DescribeKeyCommand({ KeyId: keyArn('SYMMETRIC') }));
  expect(cipher.KeyMetadata).toMatchObject({
    KeyUsage: 'ENCRYPT_DECRYPT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
  });
});

test('what is not here is refused by name', async () => {
  const KeyId = await start();
  await expect(client.send(new EncryptCommand({ KeyId, Plaintext: text('m') }))).rejects.toMatchObject({
    name: 'UnknownOperationException',
    message: 'KMS Encrypt is not available on this machine',
  });
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html
test.each([
  ['HMAC keys make codes', { KeySpec: 'HMAC_256' }, /ENCRYPT_DECRYPT is not compatible with KeySpec HMAC_256/],
  ['other keys do not', { KeyUsage: 'GENERATE_VERIFY_MAC' }, /is not compatible with KeySpec SYMMETRIC_DEFAULT/],
  ['HMAC keys are not rotated', { ...hmac, EnableKeyRotation: true }, /remove EnableKeyRotation/],
])('a template is refused where KMS would refuse its key: %s', async (_, properties, message) => {
  await expect(start(properties)).rejects.toThrow(message);
});

describe('with a data directory', () => {
  test('a key makes the same codes after a restart, and is readable for its owner only', async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'kms-'));
    stack.defer(() => rm(dataDirectory, { recursive: true }));
    const codeOf = async () => {
      const KeyId = await start(hmac, { dataDirectory });
      const { Mac } = await client.send(new GenerateMacCommand({ KeyId, MacAlgorithm, Message: text('m') }));
      const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId }));
      // The journal has the secret, too, until SQLite writes it to the database.
      const files = (await readdir(dataDirectory)).filter((name) => name.startsWith('kms.db'));
      expect(files).toContain('kms.db-wal');
      for (const name of files) expect((await stat(join(dataDirectory, name))).mode & 0o777).toBe(0o600);
      client.destroy();
      await server?.[Symbol.asyncDispose]();
      return [Mac, KeyMetadata?.CreationDate];
    };
    expect(await codeOf()).toEqual(await codeOf());
    await expect(start({ ...hmac, KeySpec: 'HMAC_512' }, { dataDirectory })).rejects.toThrow(
      /cannot be changed from HMAC_256 to HMAC_512/,
    );
  });

  test('another cloud has another key', async () => {
    const codes: unknown[] = [];
    for (let index = 0; index < 2; index += 1) {
      const KeyId = await start();
      codes.push((await client.send(new GenerateMacCommand({ KeyId, MacAlgorithm, Message: text('m') }))).Mac);
      client.destroy();
      await server?.[Symbol.asyncDispose]();
    }
    expect(codes[0]).not.toEqual(codes[1]);
  });
});
