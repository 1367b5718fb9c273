import { AwsError } from '../../core/aws-error.ts';
import { HttpAnswer, type HttpRequest } from '../../core/http-message.ts';
import { parseJsonBody } from '../../core/json-body.ts';
import type { Protocol, RestRoute } from '../../core/service.ts';
import { escapeXml } from '../../core/xml.ts';
import { json, writeJson } from './json.ts';

/** REST with JSON documents. https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html */
export const rest: Protocol = {
  matches: () => true,
  read: (request, { routes, name }) => {
    const { method, url, headers, body } = request;
    if (!routes) return { operation: `${method} ${url.pathname}`, input: {} };
    for (const route of routes) {
      const labels = route.method === method ? matchPath(route.path, url.pathname) : undefined;
      if (!labels) continue;
      const document = route.payload === undefined ? parseJsonBody(body) : { [route.payload]: body };
      const input = { ...document, ...readHeaders(route, headers), ...readQuery(route, url.searchParams), ...labels };
      return { operation: route.operation, input };
    }
    const title = name.toUpperCase();
    const what = `${title} ${method} ${url.pathname}`;
    throw new AwsError('UnknownOperationException', `${what} is not available on this machine`, 404);
  },
  answer: (output, operation, _request, { routes = [] }) => {
    const { status = 200 } = routes.find((route) => route.operation === operation) ?? {};
    if (status === 204) return new HttpAnswer(status, {}, '');
    return new HttpAnswer(status, { 'content-type': 'application/json' }, writeJson(output));
  },
  error: json.error,
};

/**
 * REST with XML documents. The id of the request is in S3's header, too: its SDKs read that one.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export const restXml: Protocol = {
  ...rest,
  error: ({ code, status, message, details, headers }, _headers, { id, target }) => {
    const elements = { Code: code, Message: message, ...details, Resource: target.split('?')[0] ?? '', RequestId: id };
    const content = Object.entries(elements).map(([name, text]) => `<${name}>${escapeXml(String(text))}</${name}>`);
    return new HttpAnswer(
      status,
      { ...headers, 'x-amz-request-id': id, 'content-type': 'application/xml' },
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${content.join('')}</Error>`,
    );
  },
};

function matchPath(template: string, path: HttpRequest['url']['pathname']): Record<string, string> | undefined {
  const expected = template.split('/');
  // Older clients end the path of a collection with a slash.
  const actual = (path.endsWith('/') ? path.slice(0, -1) : path).split('/');
  if (expected.length !== actual.length) return undefined;
  const labels: Record<string, string> = {};
  for (const [index, segment] of expected.entries()) {
    const value = actual[index] ?? '';
    if (segment.startsWith('{')) labels[segment.slice(1, -1)] = decodeURIComponent(value);
    else if (segment !== value) return undefined;
  }
  return labels;
}

function readHeaders({ headers = {} }: RestRoute, given: HttpRequest['headers']): Record<string, unknown> {
  const named = Object.entries(headers).map(([header, member]) => [member, given[header]]);
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

function readQuery({ query = {} }: RestRoute, parameters: URLSearchParams): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const [parameter, member] of Object.entries(query)) {
    if (!parameters.has(parameter)) continue;
    if (member.endsWith('[]')) input[member.slice(0, -2)] = parameters.getAll(parameter);
    else if (member.endsWith('#')) input[member.slice(0, -1)] = numberOf(parameters.get(parameter));
    else input[member] = parameters.get(parameter);
  }
  return input;
}

/** A text that is not a number stays one, for the operation to refuse. */
function numberOf(value: string | null): unknown {
  return value !== null && /^-?\d+$/.test(value) ? Number(value) : value;
}
