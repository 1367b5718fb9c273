import { Command } from './command.ts';
import { documentOf, type Operation, type Protocol } from './protocol.ts';
import { canonicalQuery, percentEncoded } from './signature.ts';
import type { HttpResponse } from './transport.ts';

/** Where the members of an operation are in its request and its answer; those that are not named here are in the document. */
export interface HttpBinding {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Members in braces, e.g. `/2015-03-31/functions/{FunctionName}/invocations`. */
  path: string;
  /** The parameters of members. */
  query?: Readonly<Record<string, string>>;
  /** The headers of members. */
  headers?: Readonly<Record<string, string>>;
  /** The member that is the whole body: bytes or text, or with `document` an object. */
  payload?: { member: string; is: 'bytes' | 'document' };
  /** The members of the output that are not in its document. */
  output?: {
    headers?: Readonly<Record<string, string>>;
    /** The member that is the whole body, as it is. */
    payload?: string;
    statusCode?: string;
  };
}

interface RestOperation extends Operation {
  readonly http: HttpBinding;
}

/** A request to an API whose operations each have a method and a path. */
export abstract class RestCommand<Service extends string, Input extends object, Output> extends Command<
  Service,
  Input,
  Output
> {
  abstract readonly http: HttpBinding;
}

/** Members that are parameters of the same names. @example same('Marker', 'MaxItems') */
export function same(...members: string[]): Record<string, string> {
  return Object.fromEntries(members.map((member) => [member, member]));
}

type Members = Record<string, unknown>;

/**
 * AWS's REST protocol with JSON documents. https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
 * @example createSender({ name: 'lambda', protocol: restProtocol, endpointVariable: 'AWS_ENDPOINT_URL_LAMBDA' }, options);
 */
export const restProtocol: Protocol<RestOperation> = {
  requestOf: ({ operation, http }, input) => {
    const { method, query = {}, headers = {} } = http;
    const members: Members = Object.fromEntries(Object.entries(input).filter(([, value]) => value != null));
    const take = (member: string): unknown => {
      const { [member]: value } = members;
      delete members[member];
      return value;
    };
    const path = http.path.replaceAll(/\{(\w+)\}/g, (_, member: string) =>
      label(take(member), `${member} of ${operation}`),
    );
    const parameters = Object.entries(query).flatMap(([member, parameter]) =>
      [take(member)].flat().map((value) => [parameter, value] as const),
    );
    const sent = Object.entries(headers).map(([member, header]) => [header, take(member)] as const);
    const { type, body } = contentOf(http, members);
    return {
      method,
      path,
      query: canonicalQuery(parameters.filter(isGiven).map(([name, value]) => [name, textual(value)])),
      headers: {
        ...Object.fromEntries(sent.filter(isGiven).map(([name, value]) => [name, textual(value)])),
        ...(type !== undefined && { 'content-type': type }),
      },
      body,
    };
  },
  outputOf: ({ http: { output = {} } }, { statusCode, headers, body }) => {
    const bound = Object.entries(output.headers ?? {}).map(([member, header]) => [member, headers[header]] as const);
    return {
      ...(output.payload === undefined ? documentOf(body) : payloadOf(output.payload, body)),
      ...Object.fromEntries(bound.filter(isGiven)),
      ...(output.statusCode !== undefined && { [output.statusCode]: statusCode }),
    };
  },
};

function isGiven([, value]: readonly [string, unknown]): boolean {
  return value !== undefined;
}

/** @throws TypeError for a text that would make another path of it */
function label(value: unknown, name: string): string {
  const text = String(value ?? '');
  if (text === '' || text === '.' || text === '..') throw new TypeError(`${name} must name something, not "${text}"`);
  return percentEncoded(text);
}

/** @param rest the members that are in no other place */
function contentOf({ method, payload }: HttpBinding, rest: Members): { type?: string; body: string | Uint8Array } {
  if (payload?.is === 'bytes') {
    const body = (rest[payload.member] ?? '') as string | Uint8Array;
    return { type: 'application/octet-stream', body };
  }
  const document = payload ? (rest[payload.member] ?? {}) : rest;
  // An operation without members of its own has no document.
  if (!payload && (method === 'GET' || method === 'DELETE' || Object.keys(rest).length === 0)) return { body: '' };
  return { type: 'application/json', body: JSON.stringify(document) };
}

/** As in a query string or a header. */
function textual(value: unknown): string {
  return value instanceof Date ? value.toISOString().replace('.000Z', 'Z') : String(value);
}

function payloadOf(member: string, body: HttpResponse['body']): Members {
  return body.length === 0 ? {} : { [member]: Buffer.from(body as Uint8Array) };
}
