import { checksumMembers } from '../content/checksums.ts';
import type { XmlMember, XmlShape, XmlStructure } from './xml-shape.ts';

/** A document of the API: its root element and what is in it. */
export interface XmlDocument {
  root: string;
  shape: XmlStructure;
}

/** Parts that the shapes of documents are made of. */
export const text: XmlMember = { shape: 'string' };
export const requiredText: XmlMember = { shape: 'string', required: true };
export const integer: XmlMember = { shape: 'integer' };
export const flag: XmlMember = { shape: 'boolean' };
export const time: XmlMember = { shape: 'timestamp' };

export const structure = (members: Record<string, XmlMember>): XmlStructure => ({ members });
/** A member whose element is repeated for each entry. */
export const listOf = (element: string, shape: XmlShape): XmlMember => ({ element, shape, list: true });
export const texts = (element: string): XmlMember => listOf(element, 'string');
export const member = (shape: XmlShape, element?: string): XmlMember => ({
  shape,
  ...(element !== undefined && { element }),
});

/** A checksum of any algorithm. */
export const checksums: Record<string, XmlMember> = Object.fromEntries(
  [...checksumMembers, 'ChecksumType'].map((name) => [name, text]),
);
export const owner = member(structure({ ID: text, DisplayName: text }));
export const tag = structure({ Key: requiredText, Value: requiredText });
