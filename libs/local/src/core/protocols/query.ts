import type { Input } from '../access.ts';
import { AwsError } from '../aws-error.ts';
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
  /** Members of outputs that are maps, which are written as entries with `key` and `value`. */
  maps?: readonly string[];
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
export function awsQuery({ namespace, inputs = {}, maps = [], errorCodes = {} }: QueryOptions): Protocol {
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html
  const codes: Readonly<Record<string, string>> = { UnknownOperationException: 'InvalidAction', ...errorCodes };
  return {
    matches: ({ 'content-type': type = '', 'x-amz-target': target }) => target === undefined && type.startsWith(FORM),
    read: ({ method, url, body }) => {
      const parameters = method === 'GET' ? url.searchParams : new URLSearchParams(body.toString());
      const { operation, input } = readQuery(parameters);
      const shape = Object.hasOwn(inputs, operation) ? inputs[operation] : undefined;
      return { operation, input: shape ? (coerce(shape, input) as Input) : input };
    },
    answer: (output, operation, { id }) => {
      const result = `<${operation}Result>${content(output ?? {}, new Set(maps))}</${operation}Result>`;
      const metadata = `<ResponseMetadata><RequestId>${id}</RequestId></ResponseMetadata>`;
      const document = `<${operation}Response xmlns="${namespace}">${result}${metadata}</${operation}Response>`;
      return new HttpAnswer(200, headers, document);
    },
    error: ({ code, message, status }, _headers, { id }) => {
      const elements = { Type: status < 500 ? 'Sender' : 'Receiver', Code: codes[code] ?? code, Message: message };
      const document = `<ErrorResponse xmlns="${namespace}"><Error>${content(elements)}</Error><RequestId>${id}</RequestId></ErrorResponse>`;
      return new HttpAnswer(status, headers, document);
    },
  };
}

/** More parts than the name of any parameter has. */
const DEEPEST_NAME = 20;

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
    const path = name.split('.');
    if (path.length > DEEPEST_NAME) {
      throw new AwsError('MalformedQueryString', `The parameter ${name.slice(0, 100)} has too many parts`);
    }
    put(tree, path, value);
  }
  return { operation: parameters.get('Action') ?? '', input: inputOf(tree) as Input };
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
        // Message attributes of SNS have `Name` and `Value`.
        const { key, value, Name = '', Value = '' } = typeof pair === 'string' ? ({} as Tree) : pair;
        return [String(key ?? Name), inputOf(value ?? Value)];
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

/** @param maps names of members that are maps */
function content(value: unknown, maps: ReadonlySet<string> = new Set()): string {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item) => `<member>${content(item, maps)}</member>`).join('');
  if (typeof value !== 'object' || value === null) return escapeXml(String(value));
  return Object.entries(value)
    .filter(([, member]) => member !== undefined && member !== null)
    .map(([name, member]) => `<${name}>${maps.has(name) ? entries(member) : content(member, maps)}</${name}>`)
    .join('');
}

function entries(map: object): string {
  return Object.entries(map)
    .map(([key, value]) => `<entry><key>${escapeXml(key)}</key><value>${content(value)}</value></entry>`)
    .join('');
}
