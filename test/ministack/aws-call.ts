/** One call of an AWS API, in the protocol of its service. */
export interface AwsRequest {
  /** As in a credential scope: `sqs`, `events`. */
  service: string;
  /** JSON protocols: the X-Amz-Target, with the input as `json`. */
  target?: string;
  json?: unknown;
  /** The query protocol: Action, Version and the rest. */
  form?: Readonly<Record<string, string>>;
  /** REST: the path of a GET. */
  path?: string;
}

/**
 * Calls MiniStack without an SDK: it takes the service from the credential scope and checks no signature.
 * @returns the response body, JSON or XML as the service has it
 * @throws Error with the answer of a call that fails
 */
export async function callAws(endpoint: string, { service, target, json, form, path }: AwsRequest): Promise<string> {
  const scope = `Credential=test/20260101/us-east-1/${service}/aws4_request`;
  const headers: Record<string, string> = {
    authorization: `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=none`,
  };
  if (target !== undefined)
    Object.assign(headers, { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.0' });
  const body = form ? new URLSearchParams(form) : target === undefined ? undefined : JSON.stringify(json ?? {});
  const response = await fetch(`${endpoint}${path ?? '/'}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${service} ${target ?? form?.Action ?? path} answered ${response.status}: ${text}`);
  }
  return text;
}
