import { escapeXml } from '../../../core/xml.ts';
import { readXml, type XmlElement } from '../../../core/xml-reader.ts';
import { s3Error } from '../errors.ts';

/** A member of a structure: its element, its shape, and whether it may be left out or repeated. */
export interface XmlMember {
  /** The element's name where it differs from the member's. */
  element?: string;
  shape: XmlShape;
  /** The element is repeated for each entry. */
  list?: true;
  required?: true;
  /** Attributes that the element always has when it is written, with a space before each. */
  attributes?: string;
}

/** How a member is written: the form of a text, a list in an element of its own, or a structure. */
export type XmlShape =
  | 'string'
  | 'integer'
  | 'boolean'
  | 'timestamp'
  | { entries: XmlMember & { element: string } }
  | XmlStructure;

/** Its members by name, in the order in which they are written. */
export interface XmlStructure {
  members: Readonly<Record<string, XmlMember>>;
}

export type Structure = Record<string, unknown>;

const timestamp = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?$/;

/**
 * Reads the document of a request.
 *
 * @throws S3Error MalformedXML, with the element that is wrong
 * @example readDocument({ root: 'Tagging', shape: taggingShape }, '<Tagging>…</Tagging>')
 */
export function readDocument({ root, shape }: { root: string; shape: XmlStructure }, text: string): Structure {
  let element: XmlElement;
  try {
    element = readXml(text);
  } catch (error) {
    throw malformed((error as Error).message);
  }
  if (element.name !== root) throw malformed(`the root element must be ${root}, not ${element.name}`);
  return readStructure(shape, element);
}

function readStructure({ members }: XmlStructure, element: XmlElement): Structure {
  const byElement = new Map(
    Object.entries(members).map(([name, member]) => [member.element ?? name, { name, member }]),
  );
  const structure: Structure = {};
  for (const child of element.children) {
    const found = byElement.get(child.name);
    if (!found) throw malformed(`${element.name} has no element ${child.name}`);
    const { name, member } = found;
    const value = readValue(member.shape, child);
    if (member.list) structure[name] = [...((structure[name] as unknown[] | undefined) ?? []), value];
    else if (Object.hasOwn(structure, name)) throw malformed(`${child.name} is given more than once`);
    else structure[name] = value;
  }
  for (const [name, member] of Object.entries(members)) {
    if (member.required && structure[name] === undefined)
      throw malformed(`${element.name} needs an element ${member.element ?? name}`);
  }
  return structure;
}

function readValue(shape: XmlShape, element: XmlElement): unknown {
  if (typeof shape === 'object') {
    if ('members' in shape) return readStructure(shape, element);
    const { entries } = shape;
    return element.children.map((child) => {
      if (child.name !== entries.element) throw malformed(`${element.name} has no element ${child.name}`);
      return readValue(entries.shape, child);
    });
  }
  if (element.children.length > 0) throw malformed(`${element.name} must be a text`);
  const text = shape === 'string' ? element.text : element.text.trim();
  if (shape === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (shape === 'boolean' && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  if (shape === 'timestamp' && timestamp.test(text) && !Number.isNaN(Date.parse(text))) return new Date(text);
  if (shape === 'string') return text;
  throw malformed(`${element.name} must be of type ${shape}`);
}

function malformed(reason: string): Error {
  return s3Error(
    'MalformedXML',
    `The XML you provided was not well-formed or did not validate against our published schema: ${reason}.`,
  );
}

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** @example writeDocument({ root: 'Tagging', shape: taggingShape }, { TagSet: [] }) */
export function writeDocument({ root, shape }: { root: string; shape: XmlStructure }, structure: Structure): string {
  const content = writeMembers(shape, structure);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${namespace}">${content}</${root}>`;
}

function writeMembers({ members }: XmlStructure, structure: Structure): string {
  return Object.entries(members)
    .map(([name, member]) => {
      const value = structure[name];
      if (value === undefined) return '';
      const values = member.list ? (value as unknown[]) : [value];
      return values.map((each) => writeElement(member.element ?? name, member.shape, each, member.attributes)).join('');
    })
    .join('');
}

function writeElement(name: string, shape: XmlShape, value: unknown, attributes = ''): string {
  return `<${name}${attributes}>${writeValue(shape, value)}</${name}>`;
}

/** Keys may have characters that XML has no place for; S3 writes them as references, and clients read those. */
function escapeControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\ufffe\uffff]/g, (character) => `&#x${character.charCodeAt(0).toString(16)};`);
}

function writeValue(shape: XmlShape, value: unknown): string {
  if (typeof shape !== 'object') {
    if (shape !== 'timestamp') return escapeControls(escapeXml(String(value)));
    return new Date(value as Date | string).toISOString();
  }
  if ('members' in shape) return writeMembers(shape, value as Structure);
  const { element, shape: entryShape } = shape.entries;
  return (value as unknown[]).map((entry) => writeElement(element, entryShape, entry)).join('');
}
