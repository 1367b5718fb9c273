import { crc32 } from 'node:zlib';
import { ConfigurationError, variableFrom } from '@millrace/errors';
import { type RetryOptions, retry } from '@millrace/retry';
import { type CredentialProvider, type Credentials, environmentCredentials } from './environment-credentials.ts';
import { CorruptAnswerError, errorOf, isRetryable, isSkewError } from './errors.ts';
import { type Operation, type Protocol, type RequestParts, textOf } from './protocol.ts';
import { RequestSigner } from './signature.ts';
import { agentFor, defaultTransport, type HttpResponse, type TimeLimits, type Transport } from './transport.ts';

/** How an API is called. */
export interface ServiceDefinition<Called extends Operation> {
  /** As in its endpoint and in signatures. */
  name: string;
  protocol: Protocol<Called>;
  /** Names its endpoint. https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html */
  endpointVariable: string;
}

/** What a client does differently from one of a function, which gets all of it from its environment. */
export interface ClientOptions extends Pick<RetryOptions, 'sleep' | 'random'> {
  region?: string | (() => Promise<string>);
  /** Origin, e.g. of the local runtime. */
  endpoint?: string | undefined;
  /** The credential chain of an operator, for example `new STSClient({}).config.credentials`. */
  credentials?: Credentials | CredentialProvider;
  /** How requests are sent, e.g. to an engine in the same process. */
  transport?: Transport;
  limits?: Partial<TimeLimits>;
  /** The clock that requests are signed by. */
  now?: () => Date;
}

/** Attempts of one request, as the SDK's standard mode has them. */
const MAX_ATTEMPTS = 3;
/** A function has ten seconds: two requests that are not answered leave time for the third. */
const LIMITS: TimeLimits = { connectMs: 1_000, responseMs: 3_000 };
/** AWS refuses signatures that are more than five minutes off, so a difference above this explains the refusal. */
const NOTICEABLE_SKEW_MS = 4 * 60 * 1_000;

/** Where a client sends to, found when it sends for the first time. */
interface Destination {
  url: URL;
  signer: RequestSigner;
  credentials: CredentialProvider;
}

/**
 * Calls the operations of one AWS API by its protocol: signed with Signature Version 4, over connections that are kept,
 * tried up to three times with full jitter when AWS or the network could not answer for now.
 *
 * It does what functions need of the SDK's clients and nothing else, in a fifth of their time; see README.md.
 */
export class AwsClient<Called extends Operation> {
  readonly #service: ServiceDefinition<Called>;
  readonly #options: ClientOptions;
  readonly #transport: Transport;
  readonly #limits: TimeLimits;
  readonly #now: () => Date;
  #destination: Promise<Destination> | undefined;
  /** How far AWS's clock is ahead of this one, as far as a refusal has told. In ms. */
  #skewMs = 0;

  constructor(service: ServiceDefinition<Called>, options: ClientOptions = {}) {
    this.#service = service;
    this.#options = options;
    this.#transport = options.transport ?? defaultTransport;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#now = options.now ?? (() => new Date());
    if (!options.transport && !this.#givenEndpoint()?.startsWith('http:')) agentFor('https:');
  }

  /**
   * Calls an operation.
   *
   * A request whose answer got lost is sent again, as with the SDK: make every write recognise that it was done before.
   *
   * @param input as the API's reference has it
   * @returns the output as the API's reference has it
   * @throws AwsError with the name that AWS gives it; what the transport throws; ConfigurationError when the environment has no
   *   region or credentials
   * @example
   * const { Item } = await client.call({ operation: 'GetItem' }, { TableName: 'orders', Key: { pk: { S: 'ORDER#1' } } });
   */
  async call(operation: Called, input: object): Promise<object> {
    const { protocol } = this.#service;
    const parts = protocol.requestOf(operation, input);
    const { responseMs = this.#limits.responseMs } = operation;
    const limits = { ...this.#limits, responseMs };
    const { sleep, random } = this.#options;
    const response = await retry(() => this.#attempt(parts, limits), {
      isRetryable,
      maxAttempts: MAX_ATTEMPTS,
      ...(sleep && { sleep }),
      ...(random && { random }),
    });
    return protocol.outputOf(operation, response);
  }

  async #attempt(parts: RequestParts, limits: TimeLimits): Promise<HttpResponse> {
    const skewMs = this.#skewMs;
    try {
      return await this.#send(parts, limits);
    } catch (error) {
      if (!isSkewError(error) || this.#skewMs === skewMs) throw error;
      // Signed by the right time it is another request, so it does not count as an attempt.
      return this.#send(parts, limits);
    }
  }

  /** @returns the answer of a request that succeeded */
  async #send(parts: RequestParts, limits: TimeLimits): Promise<HttpResponse> {
    this.#destination ??= this.#locate();
    const { url, signer, credentials } = await this.#destination;
    const { method, path, query, body } = parts;
    const headers = { host: url.host, ...parts.headers };
    const signedAt = new Date(this.#now().getTime() + this.#skewMs);
    const sentWith = await credentials();
    let signed: Record<string, string> | undefined;
    const others = { ...traceHeader(), ...lengthHeader(method, body), 'user-agent': 'millrace' };
    const response = await this.#transport(
      {
        method,
        protocol: url.protocol as 'http:' | 'https:',
        hostname: url.hostname,
        port: url.port ? Number(url.port) : undefined,
        path: query ? `${path}?${query}` : path,
        get headers() {
          signed ??= { ...signer.sign({ method, path, query, headers, body }, sentWith, signedAt), ...others };
          return signed;
        },
        unsignedHeaders: { ...headers, ...others },
        service: this.#service.name,
        accessKeyId: sentWith.accessKeyId,
        body,
      },
      limits,
    );
    this.#check(response, signedAt);
    return response;
  }

  /** @throws the error that an answer tells of */
  #check({ statusCode, headers, body }: HttpResponse, signedAt: Date): void {
    const checksum = headers['x-amz-crc32'];
    if (checksum !== undefined && Number(checksum) !== crc32(body)) {
      throw new CorruptAnswerError('The checksum of an answer of AWS is wrong');
    }
    if (statusCode >= 200 && statusCode < 300) return;
    const date = Date.parse(String(headers.date));
    // Not the difference to what is known: of two requests at once both tell the same.
    if (Math.abs(date - signedAt.getTime()) > NOTICEABLE_SKEW_MS) this.#skewMs = date - this.#now().getTime();
    const requestId = headers['x-amzn-requestid'];
    const metadata = { httpStatusCode: statusCode, requestId: requestId === undefined ? undefined : String(requestId) };
    throw errorOf(jsonObject(textOf(body)), metadata, headers['x-amzn-errortype']);
  }

  async #locate(): Promise<Destination> {
    const { region: given = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION, credentials } = this.#options;
    const region =
      typeof given === 'function' ? await given() : (given ?? variableFrom('AWS_REGION', 'a region of AWS'));
    return {
      url: this.#endpoint(region),
      signer: new RequestSigner(region, this.#service.name),
      credentials:
        typeof credentials === 'function' ? credentials : remembered(credentials ?? environmentCredentials()),
    };
  }

  #givenEndpoint(): string | undefined {
    return this.#options.endpoint ?? process.env[this.#service.endpointVariable] ?? process.env.AWS_ENDPOINT_URL;
  }

  #endpoint(region: string): URL {
    const { name, endpointVariable } = this.#service;
    const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
    const text = this.#givenEndpoint() || `https://${name}.${region}.${suffix}`;
    const url = URL.parse(text);
    if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
    throw new ConfigurationError(endpointVariable, `an URL with http or https, not ${text}`);
  }
}

function remembered(credentials: Credentials): CredentialProvider {
  return async () => credentials;
}

/**
 * Lets Lambda recognise functions that call each other in a circle, and traces go on. Not signed, because proxies change it.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
 */
function traceHeader(): Record<string, string> {
  const { AWS_LAMBDA_FUNCTION_NAME: functionName, _X_AMZN_TRACE_ID: trace } = process.env;
  return functionName && trace ? { 'x-amzn-trace-id': trace } : {};
}

function lengthHeader(method: string, body: string | Uint8Array): Record<string, string> {
  return method === 'POST' || body.length > 0 ? { 'content-length': String(Buffer.byteLength(body)) } : {};
}

/** The members of an error. Something between here and AWS may answer with a page. */
function jsonObject(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
