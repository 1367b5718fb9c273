import { AwsError } from '../../../core/aws-error.ts';
import { escapeXml } from '../../../core/xml.ts';

type Node = { text?: string; children: Map<string, Node> };

const DEEPEST_NAME = 10;

/**
 * Reads the parameters of a query: `Attributes.entry.1.key=…`, `TagKeys.member.1=…`.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 *
 * @throws AwsError InvalidParameter where a name is nested too deeply
 */
export function readQuery(parameters: URLSearchParams): Record<string, unknown> {
  const root: Node = { children: new Map() };
  for (const [name, text] of parameters) {
    const path = name.split('.');
    if (path.length > DEEPEST_NAME) {
      throw new AwsError('InvalidParameter', `Invalid parameter: ${name.slice(0, 100)}`);
    }
    let node = root;
    for (const step of path) {
      const child = node.children.get(step) ?? { children: new Map() };
      node.children.set(step, child);
      node = child;
    }
    node.text = text;
  }
  root.children.delete('Action');
  root.children.delete('Version');
  return structureOf(root);
}

function structureOf({ children }: Node): Record<string, unknown> {
  return Object.fromEntries([...children].map(([name, node]) => [name, contentsOf(node)]));
}

function contentsOf(node: Node): unknown {
  const { text, children } = node;
  if (children.size === 0) return text;
  const [[only, list] = ['', undefined]] = children;
  if (children.size === 1 && list && (only === 'member' || only === 'entry')) {
    const entries = [...list.children].sort(([a], [b]) => Number(a) - Number(b)).map(([, entry]) => contentsOf(entry));
    if (only === 'member') return entries;
    return Object.fromEntries(entries.map((entry) => keyAndValue(entry)));
  }
  return structureOf(node);
}

/** Maps have `key` and `value`, and message attributes `Name` and `Value`. */
function keyAndValue(entry: unknown): readonly [string, unknown] {
  const { key, value, Name, Value } = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<
    string,
    unknown
  >;
  return [String(key ?? Name ?? ''), value ?? Value ?? ''];
}

/** Members of outputs that are maps. */
const maps = new Set(['Attributes', 'attributes']);

/**
 * The document of an answer.
 * @param namespace of the service, e.g. `http://sns.amazonaws.com/doc/2010-03-31/`
 */
export function writeResult(
  namespace: string,
  operation: string,
  output: Readonly<Record<string, unknown>>,
  requestId: string,
): string {
  const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
  const result = `<${operation}Result>${membersOf(output)}</${operation}Result>`;
  return `<${operation}Response xmlns="${namespace}">${result}${metadata}</${operation}Response>`;
}

function membersOf(output: Readonly<Record<string, unknown>>): string {
  return Object.entries(output)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<${name}>${contentOf(name, value)}</${name}>`)
    .join('');
}

function contentOf(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => `<member>${contentOf('', item)}</member>`).join('');
  if (typeof value !== 'object' || value === null) return escapeXml(String(value));
  const members = value as Record<string, unknown>;
  if (!maps.has(name)) return membersOf(members);
  return Object.entries(members)
    .map(([key, text]) => `<entry><key>${escapeXml(key)}</key><value>${escapeXml(String(text))}</value></entry>`)
    .join('');
}

/** The document of an error. */
export function writeError(namespace: string, { code, message, status }: AwsError, requestId: string): string {
  const type = status < 500 ? 'Sender' : 'Receiver';
  const elements = `<Type>${type}</Type><Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message>`;
  return `<ErrorResponse xmlns="${namespace}"><Error>${elements}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
}
