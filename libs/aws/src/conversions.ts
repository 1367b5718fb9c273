/** Converts what is in a value, however deep, by the name of the member that has it. Without one in a list. */
function convertIn(value: unknown, convert: (value: unknown, member: string) => unknown, member = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => convertIn(item, convert));
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Date) {
    return convert(value, member);
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, convertIn(item, convert, name)]));
}

/**
 * Converts the times of an output: the JSON protocols have them as seconds, and the SDK's types as dates.
 *
 * @param isTime tells by its name whether a member that is a number is a time
 * @example createSender(service, options, { output: withDates((member) => member.endsWith('Date')) });
 */
export function withDates(isTime: (member: string) => boolean): (output: object) => unknown {
  return (output) =>
    convertIn(output, (value, member) =>
      typeof value === 'number' && isTime(member) ? new Date(value * 1000) : value,
    );
}

/**
 * Converts the bytes of an input to Base64: JSON has no bytes.
 * @example createSender(service, options, { input: withBase64 });
 */
export function withBase64(input: object): object {
  return convertIn(input, (value) =>
    value instanceof Uint8Array
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
      : value,
  ) as object;
}
