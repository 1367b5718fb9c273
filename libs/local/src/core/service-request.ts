import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { AwsError } from './aws-error.ts';
import { awsJsonHeaders, parseAwsJson } from './aws-json-client.ts';
import { HttpAnswer, type HttpRequest } from './http-message.ts';
import { LOOPBACK } from './port.ts';
import type { AwsService, RoleCall } from './service.ts';

/**
 * The request that a call of one service to another would be over HTTP, for services that look at it.
 * @throws AwsError UnknownOperationException for a service whose operations are no documents
 */
export function requestOf(
  { name, protocols = [], targets = [], routes }: AwsService,
  { operation, input }: Pick<RoleCall, 'operation' | 'input'>,
  region: string,
): HttpRequest {
  const isCallable = protocols.some((one) => one === 'json' || typeof one === 'object') || routes !== undefined;
  if (!isCallable) {
    throw new AwsError(
      'UnknownOperationException',
      `${name} ${operation} can only be called over HTTP on this machine`,
    );
  }
  return {
    ...{
      id: randomUUID(),
      method: 'POST',
      target: '/',
      url: new URL('http://localhost/'),
      content: Readable.from([]),
      sourceIp: LOOPBACK,
      signal: new AbortController().signal,
    },
    headers: awsJsonHeaders({ region, service: name, target: `${targets[0] ?? ''}.${operation}` }),
    body: Buffer.from(JSON.stringify(input)),
  };
}

/**
 * The output of an operation, also of one that answers in HTTP.
 * @throws AwsError that the answer tells of
 */
export async function outputOf(answer: unknown): Promise<unknown> {
  if (!(answer instanceof HttpAnswer)) return answer;
  const { status, body } = answer;
  if (body instanceof Readable) return parseAwsJson(status, await text(body));
  return parseAwsJson(status, typeof body === 'function' ? '' : body.toString());
}
