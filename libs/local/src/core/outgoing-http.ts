import { lookup } from 'node:dns/promises';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import type { Clock } from './clock.ts';

export interface OutgoingRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Milliseconds until the answer has to be there. */
  readonly timeout: number;
  /** Gives the request up. */
  readonly signal?: AbortSignal | undefined;
}

export interface OutgoingAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** At most the first MiB. */
  readonly body: Buffer;
}

/**
 * Sends an HTTP request to an endpoint that an operator has named. Redirects are not followed.
 * @throws OutgoingError
 */
export type SendRequest = (request: OutgoingRequest) => Promise<OutgoingAnswer>;

/** Why a request has no answer. */
export class OutgoingError extends Error {
  /** `forbidden`: nothing was sent, and trying again cannot help. */
  readonly reason: 'forbidden' | 'timeout' | 'unreachable';

  constructor(reason: OutgoingError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OutgoingError';
    this.reason = reason;
  }
}

export interface OutgoingOptions {
  clock: Pick<Clock, 'now' | 'setTimer'>;
  /** Hosts besides this machine that requests may go to, over HTTPS, e.g. `api.example.com`. */
  allowedHosts?: readonly string[] | undefined;
  /** The addresses of a host. */
  resolve?: (host: string) => Promise<string[]>;
}

const maximumAnswer = 1024 * 1024;

/**
 * Makes a sender that reaches this machine alone, and the hosts that it is told of. A name that resolves to a private address
 * reaches nothing: a template must not look into the network that it is run in.
 *
 * @example
 * const send = outgoingHttp({ clock });
 * await send({ method: 'POST', url: new URL('http://127.0.0.1:8080/hook'), headers: {}, body: '{}', timeout: 5000 });
 */
export function outgoingHttp({ clock, allowedHosts = [], resolve = addressesOf }: OutgoingOptions): SendRequest {
  return async ({ method, url, headers, body, timeout, signal: givenUp }) => {
    const isLocal = isThisMachine(url);
    if (!isLocal) checkHost(url, allowedHosts);
    const host = hostOf(url);
    const addresses = isLocal ? loopbackOf(host) : await publicAddresses(host, resolve);
    const controller = new AbortController();
    const timer = clock.setTimer(clock.now() + timeout, () => controller.abort());
    try {
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const signal = givenUp ? AbortSignal.any([controller.signal, givenUp]) : controller.signal;
      const options = { method, headers, agent: false as const, signal, lookup: fixed(addresses) };
      const sent = send(url, options);
      const answer = answerOf(sent);
      sent.end(body);
      return await answer;
    } catch (error) {
      if (controller.signal.aborted) throw new OutgoingError('timeout', `no answer within ${timeout} ms`);
      throw new OutgoingError('unreachable', error instanceof Error ? error.message : String(error), { cause: error });
    } finally {
      timer.cancel();
    }
  };
}

/** True for a URL of this machine: `localhost`, a name below it, or a loopback address. */
export function isThisMachine(url: URL): boolean {
  const host = hostOf(url);
  return (
    host === 'localhost' || host.endsWith('.localhost') || (isIP(host) !== 0 && loopback.check(host, family(host)))
  );
}

function checkHost(url: URL, allowedHosts: readonly string[]): void {
  const host = hostOf(url);
  if (!allowedHosts.includes(host)) {
    throw new OutgoingError('forbidden', `${host} is not this machine: requests to it need --allow-host ${host}`);
  }
  if (url.protocol !== 'https:') throw new OutgoingError('forbidden', `requests to ${host} need https`);
}

/** The host of a URL, an IPv6 address without its brackets. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

function loopbackOf(host: string): string[] {
  return isIP(host) === 0 ? ['127.0.0.1', '::1'] : [host];
}

async function addressesOf(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

async function publicAddresses(host: string, resolve: (host: string) => Promise<string[]>): Promise<string[]> {
  let addresses: string[];
  try {
    addresses = isIP(host) === 0 ? await resolve(host) : [host];
  } catch (error) {
    throw new OutgoingError('unreachable', `${host} has no address`, { cause: error });
  }
  const foreign = addresses.filter((address) => !reserved.check(address, family(address)));
  if (foreign.length === 0) throw new OutgoingError('forbidden', `${host} has no public address`);
  return foreign;
}

/** Has a request use these addresses, whatever its host's name resolves to by then. */
function fixed(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, done) => {
    if (options.all) done(null, found);
    else done(null, found[0]?.address ?? '', found[0]?.family);
  };
}

function answerOf(sent: ClientRequest): Promise<OutgoingAnswer> {
  return new Promise((resolve, reject) => {
    sent.once('error', reject);
    sent.once('response', (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const settle = (): void => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, headers, body: Buffer.concat(chunks).subarray(0, maximumAnswer) });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size < maximumAnswer) return;
        settle();
        response.destroy();
      });
      response.once('end', settle);
      response.once('error', reject);
    });
  });
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

function blockList(...subnets: string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = '', bits] = subnet.split('/');
    list.addSubnet(address, Number(bits), family(address));
  }
  return list;
}

/** A v4 address in the form of v6 is checked as the v4 address that it is. */
const loopback = blockList('127.0.0.0/8', '::1/128');

/** What is not of the public internet: https://www.iana.org/assignments/iana-ipv4-special-registry/ and -ipv6- */
const reserved = blockList(
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/3', '::/127', '64:ff9b::/96', 'fc00::/7', 'fe80::/10', 'ff00::/8'],
);
