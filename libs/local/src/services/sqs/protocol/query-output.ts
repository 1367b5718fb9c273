import type { AwsError } from '../../../core/aws-error.ts';
import { queryCode } from '../errors.ts';
import { isOperation } from './inputs.ts';
import { outputs } from './outputs.ts';
import type { Shape } from './shapes.ts';

const NAMESPACE = 'http://queue.amazonaws.com/doc/2012-11-05/';

/** How a client wants its answers: XML unless it accepts JSON. */
export type QueryFormat = 'xml' | 'json';

/** @param accept the header of the request */
export function queryFormat(accept: string | undefined): QueryFormat {
  return accept !== undefined && /\bapplication\/json\b/i.test(accept) ? 'json' : 'xml';
}

/**
 * The document of an answer.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-request-authentication.html
 */
export function queryDocument(operation: string, output: object, requestId: string, format: QueryFormat): string {
  const shape = isOperation(operation) ? outputs[operation] : undefined;
  if (format === 'json') {
    const result = shape && { [`${operation}Result`]: toJson(shape, output) };
    return JSON.stringify({ [`${operation}Response`]: { ...result, ResponseMetadata: { RequestId: requestId } } });
  }
  const content = shape ? element(`${operation}Result`, toXml(shape, output)) : '';
  const metadata = element('ResponseMetadata', element('RequestId', requestId));
  return xml(`<${operation}Response xmlns="${NAMESPACE}">${content}${metadata}</${operation}Response>`);
}

/** The document of an error. A request that names no action gets one without a code. */
export function queryErrorDocument(
  { code, message, status }: AwsError,
  requestId: string,
  format: QueryFormat,
): string {
  if (code === 'UnknownOperationException') return xml('<UnknownOperationException/>');
  const Code = queryCode(code);
  const Type = status < 500 ? 'Sender' : 'Receiver';
  if (format === 'json')
    return JSON.stringify({ Error: { Code, Message: message, Type, Detail: {} }, RequestId: requestId });
  const content = `<Type>${Type}</Type>${element('Code', escapeText(Code))}${element('Message', escapeText(message))}<Detail/>`;
  return xml(
    `<ErrorResponse xmlns="${NAMESPACE}">${element('Error', content)}${element('RequestId', requestId)}</ErrorResponse>`,
  );
}

function toXml(shape: Shape, value: unknown): string {
  switch (shape.type) {
    case 'list':
      return (value as unknown[]).map((item) => element(shape.name, toXml(shape.of, item))).join('');
    case 'map':
      return Object.entries(value as object)
        .map(([key, item]) => {
          const pair = element(shape.key, escapeText(key)) + element(shape.value, toXml(shape.of, item));
          return element(shape.name, pair);
        })
        .join('');
    case 'structure':
      return membersOf(shape.members, value)
        .map(([name, member, item]) => {
          const content = toXml(member, item);
          return member.type === 'list' || member.type === 'map' ? content : element(name, content);
        })
        .join('');
    default:
      return escapeText(String(value));
  }
}

/** JSON of the query protocol is not that of the JSON protocol: a map is a list of its pairs. */
function toJson(shape: Shape, value: unknown): unknown {
  switch (shape.type) {
    case 'list':
      return (value as unknown[]).map((item) => toJson(shape.of, item));
    case 'map':
      return Object.entries(value as object).map(([key, item]) => ({
        [shape.key]: key,
        [shape.value]: toJson(shape.of, item),
      }));
    case 'structure':
      return Object.fromEntries(
        membersOf(shape.members, value).map(([name, member, item]) => [name, toJson(member, item)]),
      );
    default:
      return value;
  }
}

function membersOf(members: Readonly<Record<string, Shape>>, value: unknown): [string, Shape, unknown][] {
  return Object.entries(members).flatMap(([name, shape]): [string, Shape, unknown][] => {
    const item = (value as Record<string, unknown>)[name];
    return item === undefined ? [] : [[name, shape, item]];
  });
}

function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
};

function escapeText(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => ENTITIES[character] ?? character);
}

function xml(body: string): string {
  return `<?xml version="1.0"?>${body}`;
}
