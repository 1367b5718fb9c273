/**
 * The JSON text of a value that JSON and DynamoDB can hold without loss. Undefined fields are left out.
 * @param name what the value is called in the error
 * @throws TypeError naming the path of a Set, Date, function, NaN, number beyond 2^53 or the like, which would come back as something else.
 */
export function jsonText(value: unknown, name: string): string {
  assertJson(value, name);
  return JSON.stringify(value);
}

function assertJson(value: unknown, path: string): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  // DynamoDB's client refuses numbers that a double cannot count to.
  if (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) assertJson(item, `${path}[${index}]`);
    return;
  }
  if (typeof value !== 'object' || !isPlain(value)) {
    const kind = typeof value === 'object' ? `a ${value.constructor.name}` : String(value);
    throw new TypeError(`${path} is ${kind}, which JSON and DynamoDB cannot hold`);
  }
  for (const [key, item] of Object.entries(value)) if (item !== undefined) assertJson(item, `${path}.${key}`);
}

/** Of any realm: only the prototype of plain objects has none itself. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
