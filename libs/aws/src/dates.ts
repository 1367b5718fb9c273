/**
 * Converts the times of an output: the JSON protocols have them as seconds, and the SDK's types as dates.
 *
 * @param isTime tells by its name whether a member that is a number is a time
 * @example createSender(service, options, { output: withDates((member) => member.endsWith('Date')) });
 */
export function withDates(isTime: (member: string) => boolean): (output: object) => unknown {
  const convert = (value: unknown, member = ''): unknown => {
    if (typeof value === 'number' && isTime(member)) return new Date(value * 1000);
    if (Array.isArray(value)) return value.map((item) => convert(item));
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, convert(item, name)]));
  };
  return convert;
}
