import type { HttpResponse } from './transport.ts';

/** What is called: a command, with what its protocol has to know of it. */
export interface Operation {
  /** As the API's reference names it, e.g. `GetItem`. */
  readonly operation: string;
  /** How long its answer may take, in ms, where that differs from other requests of the client. */
  readonly responseMs?: number | undefined;
}

/** A request, before it has an address and a signature. */
export interface RequestParts {
  method: string;
  /** Each segment is percent-encoded. */
  path: string;
  /** As `canonicalQuery` writes it. */
  query: string;
  /** With lower-case names. All of them are signed. */
  headers: Record<string, string>;
  body: string | Uint8Array;
}

/** How an API writes its requests and its answers. */
export interface Protocol<Called extends Operation> {
  requestOf(operation: Called, input: object): RequestParts;
  /** @param response of a request that succeeded */
  outputOf(operation: Called, response: HttpResponse): object;
}

/**
 * AWS's JSON protocol: all operations are a POST to one path.
 * https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
 *
 * @param target of the header `x-amz-target`, before the operation
 * @example jsonProtocol('AmazonSQS', '1.0')
 */
export function jsonProtocol(target: string, version: '1.0' | '1.1'): Protocol<Operation> {
  return {
    requestOf: ({ operation }, input) => ({
      method: 'POST',
      path: '/',
      query: '',
      headers: { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': `${target}.${operation}` },
      body: JSON.stringify(input),
    }),
    outputOf: (_, { body }) => documentOf(body),
  };
}

/** The JSON document of an answer that succeeded. @throws SyntaxError */
export function documentOf(body: HttpResponse['body']): Record<string, unknown> {
  const text = textOf(body);
  return text ? JSON.parse(text) : {};
}

export function textOf(body: HttpResponse['body']): string {
  return typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
}
