import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import type { Host, Operations } from '../../core/service.ts';
import { checkInput, flag, list, oneOf, required, structure, text } from '../../core/shapes.ts';
import { KeyMaterial } from './key-material.ts';
import { checkKind, digests, type MacAlgorithm, macSpecs, SYMMETRIC } from './key-specs.ts';

const MAX_MESSAGE_BYTES = 4096;
const MAX_MAC_BYTES = 6144;

const keyId = required(text({ min: 1, max: 2048 }));
const grantTokens = list(text({ min: 1, max: 8192 }), { max: 10 });
const macMembers = {
  KeyId: keyId,
  Message: required(text()),
  MacAlgorithm: required(oneOf(...Object.keys(digests))),
  GrantTokens: grantTokens,
  DryRun: flag(),
};
const inputs = {
  GenerateMac: structure(macMembers),
  VerifyMac: structure({ ...macMembers, Mac: required(text()) }),
  DescribeKey: structure({ KeyId: keyId, GrantTokens: grantTokens }),
};

/** A key, as its template declares it. */
interface Key {
  id: string;
  arn: string;
  spec: string;
  usage: string;
  state: 'Enabled' | 'Disabled' | 'PendingImport';
  description: string;
  origin: string;
  isMultiRegion: boolean;
  /** JSON */
  policy: string;
  createdAt: number;
  /** Of keys that make codes. */
  material?: Uint8Array;
}

/** The keys that templates declare, and what they are used for: message authentication codes. */
export class Keys {
  readonly #keys = new Map<string, Key>();
  /** Ids of keys by the names of aliases. */
  readonly #aliases = new Map<string, string>();
  readonly #material: KeyMaterial;
  readonly #host: Pick<Host, 'accountId' | 'region' | 'clock'>;

  constructor({ dataDirectory, ...host }: Pick<Host, 'accountId' | 'region' | 'clock' | 'dataDirectory'>) {
    this.#material = new KeyMaterial(dataDirectory);
    this.#host = host;
  }

  /**
   * Adds a key, or takes over the one of an earlier start.
   * @param properties of AWS::KMS::Key
   * @throws AwsError for a key that KMS would not create, or not change to this
   */
  add(id: string, properties: Input): void {
    const { Description = '', KeySpec: spec = SYMMETRIC, KeyUsage: usage = 'ENCRYPT_DECRYPT', Enabled } = properties;
    const { Origin: origin = 'AWS_KMS', KeyPolicy, MultiRegion, EnableKeyRotation } = properties;
    checkKind({ spec: String(spec), usage: String(usage), rotates: isTrue(EnableKeyRotation) });
    const makesMacs = macSpecs[String(spec)];
    const now = this.#host.clock.now();
    const kept = makesMacs && this.#material.provide(id, { spec: String(spec), bytes: makesMacs.bytes, now });
    if (kept && kept.spec !== spec) {
      throw new AwsError('ValidationException', `The KeySpec of a key cannot be changed from ${kept.spec} to ${spec}`);
    }
    this.#keys.set(id, {
      ...{ id, arn: this.#arn(`key/${id}`), spec: String(spec), usage: String(usage), origin: String(origin) },
      description: String(Description),
      state: origin === 'EXTERNAL' ? 'PendingImport' : isFalse(Enabled) ? 'Disabled' : 'Enabled',
      isMultiRegion: isTrue(MultiRegion),
      policy: JSON.stringify(KeyPolicy ?? this.#defaultPolicy()),
      createdAt: kept?.createdAt ?? now,
      ...(kept && { material: kept.material }),
    });
  }

  /** @throws AwsError NotFoundException, ValidationException for a name that an alias may not have */
  addAlias(name: string, target: string): void {
    // https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
    if (!/^alias\/(?!aws\/)[a-zA-Z0-9/_-]{1,250}$/.test(name)) {
      throw new AwsError('ValidationException', `${name} is not a name of an alias, such as alias/orders`);
    }
    this.#aliases.set(name, this.#find(target).id);
  }

  /** The part of the API that keys of templates need. https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html */
  readonly operations: Operations = {
    GenerateMac: (input) => {
      const { key, mac, algorithm } = this.#macOf('GenerateMac', input);
      this.#refuseDryRun('GenerateMac', input);
      return { KeyId: key.arn, Mac: mac.toString('base64'), MacAlgorithm: algorithm };
    },
    VerifyMac: (input) => {
      const { key, mac, algorithm } = this.#macOf('VerifyMac', input);
      const given = bytesOf('mac', input.Mac, MAX_MAC_BYTES);
      if (given.length !== mac.length || !timingSafeEqual(given, mac)) {
        throw new AwsError('KMSInvalidMacException', 'The Mac is not that of the message, the key and the algorithm');
      }
      this.#refuseDryRun('VerifyMac', input);
      return { KeyId: key.arn, MacValid: true, MacAlgorithm: algorithm };
    },
    DescribeKey: (input) => {
      checkInput(inputs.DescribeKey, input);
      refuseGrants(input);
      return { KeyMetadata: this.#metadataOf(this.#find(String(input.KeyId))) };
    },
  };

  /** The policy of a key, by its ARN. */
  policyOf(arn: string): string | undefined {
    return this.#keys.get(arn.slice(arn.lastIndexOf('/') + 1))?.policy;
  }

  summary(): object[] {
    return [...this.#keys.values()].map(({ arn, spec, state }) => ({ arn, spec, state }));
  }

  close(): void {
    this.#material.close();
  }

  #macOf(operation: 'GenerateMac' | 'VerifyMac', input: Input): { key: Key; mac: Buffer; algorithm: MacAlgorithm } {
    checkInput(inputs[operation], input);
    const message = bytesOf('message', input.Message, MAX_MESSAGE_BYTES);
    refuseGrants(input);
    const key = this.#find(String(input.KeyId));
    // https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
    if (key.state === 'Disabled') throw new AwsError('DisabledException', `${key.arn} is disabled.`);
    if (key.state !== 'Enabled') {
      throw new AwsError('KMSInvalidStateException', `${key.arn} is pending import.`);
    }
    const algorithm = input.MacAlgorithm as MacAlgorithm;
    if (!key.material || macSpecs[key.spec]?.algorithm !== algorithm) {
      throw new AwsError(
        'InvalidKeyUsageException',
        `${key.arn} has the key usage ${key.usage} and the key spec ${key.spec}, which ${operation} with ${algorithm} cannot use`,
      );
    }
    return { key, mac: createHmac(digests[algorithm], key.material).update(message).digest(), algorithm };
  }

  /** Last, when the request would have succeeded. https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html */
  #refuseDryRun(operation: string, { DryRun }: Input): void {
    if (DryRun !== true) return;
    throw new AwsError('DryRunOperationException', `${operation} would have succeeded, but DryRun is set`);
  }

  /** By its id or ARN, or the name or ARN of an alias. */
  #find(name: string): Key {
    const own = this.#arn('');
    if (name.startsWith('arn:') && !name.startsWith(own)) {
      throw new AwsError('NotFoundException', `Invalid arn ${name}`);
    }
    const local = name.startsWith(own) ? name.slice(own.length) : name.startsWith('alias/') ? name : `key/${name}`;
    if (local.startsWith('alias/')) {
      const key = this.#keys.get(this.#aliases.get(local) ?? '');
      if (!key) throw new AwsError('NotFoundException', `Alias ${this.#arn(local)} is not found.`);
      return key;
    }
    const key = this.#keys.get(local.slice('key/'.length));
    if (!key) throw new AwsError('NotFoundException', `Key '${this.#arn(local)}' does not exist`);
    return key;
  }

  /** https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html */
  #metadataOf({ id, arn, spec, usage, state, description, origin, isMultiRegion, createdAt }: Key): object {
    const mac = macSpecs[spec];
    return {
      ...{ AWSAccountId: this.#host.accountId, KeyId: id, Arn: arn, CreationDate: new Date(createdAt) },
      ...{ Enabled: state === 'Enabled', Description: description, KeyUsage: usage, KeyState: state, Origin: origin },
      ...{ KeyManager: 'CUSTOMER', CustomerMasterKeySpec: spec, KeySpec: spec, MultiRegion: isMultiRegion },
      ...(mac && { MacAlgorithms: [mac.algorithm] }),
      ...(spec === SYMMETRIC && { EncryptionAlgorithms: [SYMMETRIC] }),
    };
  }

  /** https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
  #defaultPolicy(): object {
    const root = `arn:aws:iam::${this.#host.accountId}:root`;
    return {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' }],
    };
  }

  #arn(resource: string): string {
    return `arn:aws:kms:${this.#host.region}:${this.#host.accountId}:${resource}`;
  }
}

/** Nothing on this machine makes grants, so no token is of one. */
function refuseGrants({ GrantTokens }: Input): void {
  if (Array.isArray(GrantTokens) && GrantTokens.length > 0) {
    throw new AwsError('InvalidGrantTokenException', 'There are no grants on this machine');
  }
}

/** The bytes of a member, which JSON carries as Base64. @throws AwsError ValidationException, SerializationException */
function bytesOf(member: string, value: unknown, max: number): Buffer {
  const coded = String(value);
  const bytes = Buffer.from(coded, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== coded.replace(/=+$/, '')) {
    throw new AwsError('SerializationException', `${member} must be Base64`);
  }
  if (bytes.length === 0 || bytes.length > max) {
    const constraint = bytes.length === 0 ? 'greater than or equal to 1' : `less than or equal to ${max}`;
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must have length ${constraint}`,
    );
  }
  return bytes;
}

/** Templates write truth values as texts, too. */
function isTrue(value: unknown): boolean {
  return String(value) === 'true';
}

function isFalse(value: unknown): boolean {
  return String(value) === 'false';
}
