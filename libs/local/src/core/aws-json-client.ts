import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import { AwsError } from './aws-error.ts';

const agent = new Agent({ keepAlive: true });

/** Enough of a signature for emulators, which read the region and service from it and verify nothing. */
export function localAuthorization(region: string, service: string): string {
  return `AWS4-HMAC-SHA256 Credential=local/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=local`;
}

/** The headers of a request of the AWS JSON 1.0 protocol. */
export function awsJsonHeaders({ region, service, target }: { region: string; service: string; target: string }) {
  return {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': target,
    'x-amz-date': '20260101T000000Z',
    authorization: localAuthorization(region, service),
  };
}

/**
 * Calls one operation of an AWS JSON 1.0 API on this machine.
 *
 * @param target e.g. `DynamoDB_20120810.CreateTable`
 * @throws AwsError the service's own error
 * https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
 */
export async function callAwsJson(
  endpoint: string,
  { region, service, target }: { region: string; service: string; target: string },
  input: unknown,
): Promise<Record<string, unknown>> {
  const body = JSON.stringify(input);
  const headers = {
    ...awsJsonHeaders({ region, service, target }),
    'content-length': Buffer.byteLength(body),
  };
  const { status, text } = await post(endpoint, headers, body).catch(() => {
    const name = service === 'dynamodb' ? 'DynamoDB' : service;
    throw new AwsError('ServiceUnavailable', `${name} at ${endpoint} does not answer`, 503);
  });
  return parseAwsJson(status, text);
}

/** By node:http: streams are read many times a second, and `fetch` takes two to three times the CPU time for each. */
function post(url: string, headers: OutgoingHttpHeaders, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    request(url, { method: 'POST', headers, agent }, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => {
          text += chunk;
        })
        .on('end', () => resolve({ status: response.statusCode ?? 0, text }))
        .on('error', reject);
    })
      .on('error', reject)
      .end(body);
  });
}

/**
 * Reads an answer of an AWS JSON API.
 *
 * @throws AwsError when the status says it is an error
 */
export function parseAwsJson(status: number, text: string): Record<string, unknown> {
  const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  if (status < 300) return body;
  const code = String(body.__type ?? 'UnknownError');
  throw new AwsError(code.slice(code.lastIndexOf('#') + 1), String(body.message ?? body.Message ?? ''), status);
}
