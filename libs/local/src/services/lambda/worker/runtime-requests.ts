/** True for the address of the runtime's AWS APIs. */
export type IsRuntime = (hostname: string, port: number | string | null | undefined) => boolean;

/**
 * Recognises the address of the runtime, also by its other names.
 * @param awsUrl origin of its AWS APIs
 */
export function runtimeAt(awsUrl: string): IsRuntime {
  const { hostname: own, port: ownPort } = new URL(awsUrl);
  return (hostname, port) =>
    String(port) === ownPort && (hostname === own || hostname === 'localhost' || hostname.endsWith('.localhost'));
}

/** True for an Authorization header of Signature Version 4: all requests of AWS clients but presigned ones have it. */
export function isSignature(authorization: unknown): boolean {
  return typeof authorization === 'string' && authorization.startsWith('AWS4-HMAC-SHA256');
}
