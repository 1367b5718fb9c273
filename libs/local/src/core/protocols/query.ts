import { randomUUID } from 'node:crypto';
import type { Input } from '../access.ts';
import type { AwsError } from '../aws-error.ts';
import { HttpAnswer } from '../http-message.ts';
import type { Protocol } from '../service.ts';
import { coerce, type Shape } from '../shapes.ts';
import { escapeXml } from '../xml.ts';

const FORM = 'application/x-www-form-urlencoded';
const headers = { 'content-type': 'text/xml' };

/** What a service's query protocol has of its own. */
export interface QueryOptions {
  /** Of the XML of the answers. */
  namespace: string;
  /** The inputs that have other values than texts, by operation. */
  inputs?: Readonly<Record<string, Shape>>;
  /** The codes of errors that are others in this protocol. */
  errorCodes?: Readonly<Record<string, string>>;
}

/**
 * The query protocol, for a service whose operations take and give documents.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 *
 * @example
 * protocols: ['json', awsQuery({ namespace: 'http://monitoring.amazonaws.com/doc/2010-08-01/', inputs })],
 */
export function awsQuery({ namespace, inputs = {}, errorCodes = {} }: QueryOptions): Protocol {
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html
  const codes: Readonly<Record<string, string>> = { UnknownOperationException: 'InvalidAction', ...errorCodes };
  return {
    matches: ({ 'content-type': type = '', 'x-amz-target': target }) => target === undefined && type.startsWith(FORM),
    read: ({ body }) => {
      const { operation, input } = readQuery(new URLSearchParams(body.toString()));
      const shape = Object.hasOwn(inputs, operation) ? inputs[operation] : undefined;
      return { operation, input: shape ? (coerce(shape, input) as Input) : input };
    },
    answer: (output, operation) => new HttpAnswer(200, headers, writeQuery(operation, output, namespace)),
    error: ({ code, message, status }) =>
      new HttpAnswer(status, headers, writeQueryError({ code: codes[code] ?? code, message, status }, namespace)),
  };
}

interface Tree {
  [name: string]: string | Tree;
}

/**
 * Reads the operation and its input from the parameters of a request. Lists and structures are put together from
 * `Dimensions.member.1.Name`; all values are texts, for `coerce` to make numbers of.
 */
function readQuery(parameters: URLSearchParams): { operation: string; input: Input } {
  const tree: Tree = Object.create(null);
  for (const [name, value] of parameters) {
    if (name === 'Action' || name === 'Version') continue;
    put(tree, name.split('.'), value);
  }
  return { operation: parameters.get('Action') ?? '', input: inputOf(tree) as Input };
}

/** Writes the answer of an operation. */
function writeQuery(operation: string, output: unknown, namespace: string): string {
  return (
    `<${operation}Response xmlns="${namespace}"><${operation}Result>${content(output ?? {})}</${operation}Result>` +
    `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></${operation}Response>`
  );
}

/** Writes an error. */
function writeQueryError(
  { code, message, status }: Pick<AwsError, 'code' | 'message' | 'status'>,
  namespace: string,
): string {
  const type = status < 500 ? 'Sender' : 'Receiver';
  return (
    `<ErrorResponse xmlns="${namespace}"><Error><Type>${type}</Type><Code>${escapeXml(code)}</Code>` +
    `<Message>${escapeXml(message)}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`
  );
}

function put(tree: Tree, [name = '', ...rest]: readonly string[], value: string): void {
  if (rest.length === 0) {
    tree[name] = value;
    return;
  }
  const known = tree[name];
  const branch: Tree = typeof known === 'object' ? known : Object.create(null);
  tree[name] = branch;
  put(branch, rest, value);
}

function inputOf(node: string | Tree): unknown {
  if (typeof node === 'string') return node;
  const names = Object.keys(node);
  const { member, entry } = node;
  if (names.length === 1 && typeof member === 'object') return inOrder(member).map(inputOf);
  if (names.length === 1 && typeof entry === 'object') {
    return Object.fromEntries(
      inOrder(entry).map((pair) => {
        const { key, value = '' } = pair as Tree;
        return [String(key), inputOf(value)];
      }),
    );
  }
  return Object.fromEntries(names.map((name) => [name, inputOf(node[name] ?? '')]));
}

function inOrder(list: Tree): (string | Tree)[] {
  return Object.entries(list)
    .sort(([one], [other]) => Number(one) - Number(other))
    .map(([, value]) => value);
}

function content(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item) => `<member>${content(item)}</member>`).join('');
  if (typeof value !== 'object' || value === null) return escapeXml(String(value));
  return Object.entries(value)
    .filter(([, member]) => member !== undefined && member !== null)
    .map(([name, member]) => `<${name}>${content(member)}</${name}>`)
    .join('');
}
