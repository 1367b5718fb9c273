import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';

/** The one algorithm that tokens of this machine are signed with. */
export const SIGNING_ALGORITHM = 'RS256';

const MODULUS_BITS = 2048;
const FILE_NAME = 'issuer-key.json';

/** What tokens are signed with. */
export interface SigningKey {
  privateKey: CryptoKey;
  /** What a token names its key by: the key's thumbprint. https://www.rfc-editor.org/rfc/rfc7638 */
  kid: string;
  /** What a set of keys shows of it: nothing private. */
  publicJwk: JWK;
}

/**
 * Makes a key, or reads the one of an earlier start.
 *
 * @param dataDirectory where the key is kept, readable for its owner only; without one it ends with the process
 * @throws Error naming the file when it holds no key
 */
export async function provideSigningKey(dataDirectory?: string): Promise<SigningKey> {
  if (dataDirectory === undefined) return signingKeyOf(await generate());
  const path = join(dataDirectory, FILE_NAME);
  const kept = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (kept === undefined) {
    const jwk = await generate();
    // Written beside and renamed: a start that is interrupted leaves no half of a key.
    await writeFile(`${path}.draft`, JSON.stringify(jwk), { mode: 0o600 });
    await rename(`${path}.draft`, path);
    return signingKeyOf(jwk);
  }
  try {
    return await signingKeyOf(JSON.parse(kept));
  } catch (error) {
    throw new Error(`${path} holds no RSA key; delete it to get a new one, which ends the tokens that were given out`, {
      cause: error,
    });
  }
}

async function generate(): Promise<JWK> {
  const { privateKey } = await generateKeyPair(SIGNING_ALGORITHM, { modulusLength: MODULUS_BITS, extractable: true });
  return exportJWK(privateKey);
}

async function signingKeyOf(jwk: JWK): Promise<SigningKey> {
  const privateKey = await importJWK(jwk, SIGNING_ALGORITHM);
  if (privateKey instanceof Uint8Array || privateKey.type !== 'private') throw new Error('It is not a private RSA key');
  const { n = '', e = '' } = jwk;
  const kid = await calculateJwkThumbprint({ kty: 'RSA', n, e });
  return { privateKey, kid, publicJwk: { kty: 'RSA', n, e, kid, alg: SIGNING_ALGORITHM, use: 'sig' } };
}
