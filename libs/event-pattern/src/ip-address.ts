/** An IP address as a number, with the family's width: 32 or 128 bits. */
export interface IpAddress {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

const dottedQuad = /^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})$/;
const colonGroups = /^[0-9a-fA-F:]*:[0-9a-fA-F:]*$/;

/** Reads an IPv4 (`192.0.2.1`) or IPv6 (`2001:db8::1`) literal; undefined for any other text. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const quad = dottedQuad.exec(text);
  if (quad) {
    const octets = quad.slice(1).map(Number);
    if (octets.some((octet) => octet > 255)) return undefined;
    return { bits: 32, value: octets.reduce((value, octet) => (value << 8n) | BigInt(octet), 0n) };
  }
  return colonGroups.test(text) ? parseIpv6(text) : undefined;
}

/**
 * Compiles a CIDR block to a test of addresses.
 * @throws Error saying what is wrong with the block. As at AWS, a block of a single address (/32, /128) is refused.
 */
export function compileCidr(block: string): (address: IpAddress) => boolean {
  const [literal = '', mask = '', ...rest] = block.split('/');
  if (rest.length > 0 || !/^[0-9]+$/.test(mask))
    throw new Error('Malformed CIDR, one "/" and a whole number of mask bits required');
  const network = parseIpAddress(literal);
  if (!network) throw new Error(`Nonstandard IP address: ${literal}`);
  if (Number(mask) >= network.bits)
    throw new Error(`IPv${network.bits === 32 ? 4 : 6} mask bits must be < ${network.bits}`);
  const hostBits = BigInt(network.bits - Number(mask));
  const prefix = network.value >> hostBits;
  return (address) => address.bits === network.bits && address.value >> hostBits === prefix;
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split('::');
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  if (halves.length > 2 || !head) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array<string>(missing).fill('0'), ...(tail ?? [])];
  if (groups.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const value = groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
  // ::ffff:a.b.c.d is the IPv4 address a.b.c.d.
  return value >> 32n === 0xffffn ? { bits: 32, value: value & 0xffffffffn } : { bits: 128, value };
}
