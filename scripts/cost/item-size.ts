import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** What DynamoDB adds to each stored item for its indexing. */
const OVERHEAD_BYTES = 100;

/**
 * The bytes that DynamoDB bills for storing an item.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function storedBytesOf(item: Readonly<Record<string, AttributeValue>>): number {
  return OVERHEAD_BYTES + attributesSize(item);
}

function attributesSize(attributes: Readonly<Record<string, AttributeValue>>): number {
  return Object.entries(attributes).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueSize(value), 0);
}

function valueSize(value: AttributeValue): number {
  const [[type, content] = ['NULL', true]]: [string, unknown][] = Object.entries(value);
  switch (type) {
    case 'S':
      return Buffer.byteLength(String(content));
    case 'N':
      return numberSize(String(content));
    case 'B':
      return (content as Uint8Array).byteLength;
    case 'SS':
      return (content as string[]).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    case 'NS':
      return (content as string[]).reduce((sum, text) => sum + numberSize(text), 0);
    case 'L':
      return (content as AttributeValue[]).reduce((sum, element) => sum + 1 + valueSize(element), 3);
    case 'M': {
      const members = content as Record<string, AttributeValue>;
      return 3 + Object.keys(members).length + attributesSize(members);
    }
    default:
      return 1;
  }
}

/** One byte for two significant digits, and one more. */
function numberSize(text: string): number {
  const digits = text
    .replace(/[eE].*$/, '')
    .replace(/[-+.]/g, '')
    .replace(/^0+|0+$/g, '').length;
  return Math.ceil(digits / 2) + 1 + (text.startsWith('-') ? 1 : 0);
}
