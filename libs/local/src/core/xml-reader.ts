/** An element of an XML document, without its namespace prefix. Attributes are not kept: no AWS API needs them. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** The text directly in it. */
  readonly text: string;
}

const maximumDepth = 50;
const tag = /<(\/?)([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const namedEntities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

interface OpenElement {
  name: string;
  /** As written, with its prefix: the end tag must repeat it. */
  written: string;
  children: XmlElement[];
  text: string;
}

/**
 * Reads one XML document. Document types, and with them entities of a document's own, are refused.
 * https://www.w3.org/TR/xml/
 *
 * @throws SyntaxError where it is not well-formed, or is nested deeper than 50 levels
 * @example readXml('<Tag><Key>a</Key></Tag>').children[0]?.text // 'a'
 */
export function readXml(document: string): XmlElement {
  const root: OpenElement = { name: '', written: '', children: [], text: '' };
  const open = [root];
  let position = document.startsWith('\uFEFF') ? 1 : 0;
  while (position < document.length) {
    const element = open.at(-1) as OpenElement;
    const next = document.indexOf('<', position);
    const textEnd = next < 0 ? document.length : next;
    element.text += decodeText(document.slice(position, textEnd));
    if (next < 0) break;
    position = skipMarkup(document, next, element) ?? readTag(document, next, open);
  }
  const [only, ...others] = root.children;
  if (open.length > 1) throw new SyntaxError(`The element ${open.at(-1)?.name} is not closed`);
  if (!only || others.length > 0 || root.text.trim() !== '') throw new SyntaxError('Expected one root element');
  return only;
}

/** Steps over a comment, a declaration or a CDATA section; undefined where there is a tag. */
function skipMarkup(document: string, start: number, element: OpenElement): number | undefined {
  if (document.startsWith('<!--', start)) return endOf(document, '-->', start + 4);
  if (document.startsWith('<?', start)) return endOf(document, '?>', start + 2);
  if (document.startsWith('<![CDATA[', start)) {
    const end = endOf(document, ']]>', start);
    element.text += document.slice(start + 9, end - 3);
    return end;
  }
  if (document.startsWith('<!', start)) throw new SyntaxError('Document types are not allowed');
  return undefined;
}

function endOf(document: string, terminator: string, from: number): number {
  const end = document.indexOf(terminator, from);
  if (end < 0) throw new SyntaxError(`Expected ${terminator} after position ${from}`);
  return end + terminator.length;
}

function readTag(document: string, start: number, open: OpenElement[]): number {
  tag.lastIndex = start;
  const match = tag.exec(document);
  if (!match) throw new SyntaxError(`Invalid tag at position ${start}`);
  const [text, closes, prefix = '', name = '', attributes = '', empty] = match;
  const parent = open.at(-1) as OpenElement;
  if (closes === '/') {
    if (open.length === 1 || parent.written !== prefix + name || attributes !== '' || empty !== '')
      throw new SyntaxError(`Unexpected </${name}> at position ${start}`);
    open.pop();
    (open.at(-1) as OpenElement).children.push({ name, children: parent.children, text: parent.text });
  } else if (empty === '/') parent.children.push({ name, children: [], text: '' });
  else {
    if (open.length > maximumDepth) throw new SyntaxError(`Nested deeper than ${maximumDepth} levels`);
    open.push({ name, written: prefix + name, children: [], text: '' });
  }
  return start + text.length;
}

function decodeText(text: string): string {
  return text.replace(/&([^;&]*)(;?)/g, (reference, name: string, end: string) => {
    const code = /^#x[0-9a-f]{1,6}$/i.test(name)
      ? Number.parseInt(name.slice(2), 16)
      : /^#\d{1,7}$/.test(name)
        ? Number(name.slice(1))
        : undefined;
    if (end === ';' && code !== undefined && code <= 0x10ffff && code > 0) return String.fromCodePoint(code);
    const named = end === ';' && Object.hasOwn(namedEntities, name) ? namedEntities[name] : undefined;
    if (named === undefined) throw new SyntaxError(`Unknown reference ${reference.slice(0, 20)}`);
    return named;
  });
}
