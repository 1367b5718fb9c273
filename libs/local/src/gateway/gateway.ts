import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { ApiCall } from '../core/api-usage.ts';
import type { ServiceCall } from '../core/authorizer.ts';
import { AwsError } from '../core/aws-error.ts';
import { createGuardedServer } from '../core/guarded-server.ts';
import type { Messages } from '../core/messages.ts';
import { escapeXml } from '../core/xml.ts';
import type { DynamoDbProxy } from '../services/dynamodb/proxy.ts';
import type { DynamoDbExchange } from '../services/dynamodb/usage.ts';
import type { BufferedRequest, Fauxqs } from '../services/fauxqs/fauxqs.ts';
import { checkSqsInput } from '../services/fauxqs/sqs-input.ts';
import type { IssuerAnswer, IssuerRequest } from '../services/issuer/issuer.ts';
import type { LambdaRequest, LambdaResponse } from '../services/lambda/api.ts';
import { sendEmail } from '../services/ses/api.ts';

/** An operation of an API that is answered in JSON. */
export type Operation = (
  operation: string,
  input: Record<string, unknown>,
  caller: {
    /** Of the request's signature, if it has one. */
    accessKeyId: string | undefined;
  },
) => unknown;

/** What stands behind the port. */
export interface GatewayBackends {
  fauxqs: Fauxqs;
  dynamodb: DynamoDbProxy;
  /** Counts what a caller asks of DynamoDB; undefined where it is not to be counted. */
  dynamodbCounter?:
    | ((accessKeyId: string | undefined) => ((exchange: DynamoDbExchange) => void) | undefined)
    | undefined;
  /** Is told after a request of a caller that may have written to a table. */
  onDynamoDbWrite: (accessKeyId: string | undefined) => void;
  /** Throws AwsError when a caller may not make a request. */
  authorize: (accessKeyId: string | undefined, call: ServiceCall) => void;
  events: Operation;
  ssm: Operation;
  /** Takes the parameters of a query, returns XML. */
  cloudFormation: (parameters: URLSearchParams) => string;
  lambda: (request: LambdaRequest) => Promise<LambdaResponse>;
  messages: Messages;
  /** Is told of calls of SQS, and of mails and notifications that were taken. */
  onCall?: ((call: ApiCall) => void) | undefined;
  /** What `/_local/alarms` answers. */
  alarms: () => unknown;
  /** What `/_local/issuer/…` answers. */
  issuer: (request: IssuerRequest) => Promise<IssuerAnswer>;
  /** What `/_local/refusals` answers. */
  refusals: () => unknown;
  /** What `/_local/health` answers. */
  health: () => unknown;
}

/** Below it, the issuer's own paths. */
const ISSUER_PATH = '/_local/issuer';

const BODY_LIMIT_BYTES = 10 * 1024 * 1024;

/**
 * Levels of a request in JSON. An item of DynamoDB has at most 32, each of them written as two, and stands in a few more.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
 */
const MAX_DEPTH = 100;

/** Service by the prefix of X-Amz-Target, for requests that are not signed. */
const SERVICE_OF_TARGET: Readonly<Record<string, string>> = {
  AmazonSQS: 'sqs',
  AWSEvents: 'events',
  AmazonSSM: 'ssm',
  DynamoDB_20120810: 'dynamodb',
  DynamoDBStreams_20120810: 'dynamodb',
};

const DYNAMODB_WRITES = new Set([
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'BatchWriteItem',
  'TransactWriteItems',
  'ExecuteStatement',
  'ExecuteTransaction',
  'BatchExecuteStatement',
]);

/**
 * The AWS APIs on one port, for any SDK and the AWS CLI. A request's service is the one it is signed for.
 *
 * @param backends requests that come before they are ready wait for them
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export function createGateway(backends: Promise<GatewayBackends>): Server {
  const server = createGuardedServer((request, response) => {
    response.setHeader('x-amzn-requestid', randomUUID());
    const answered = backends.then((ready) => route(request, response, ready));
    answered.catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else answerError(request, response, error);
    });
  });
  // Longer than the SDKs keep a connection, so that none is closed under a request that is being sent.
  server.keepAliveTimeout = 65_000;
  return server;
}

async function route(request: IncomingMessage, response: ServerResponse, backends: GatewayBackends): Promise<void> {
  const url = urlOf(request);
  if (!url) throw new AwsError('BadRequest', 'What the request is for is no path');
  if (url.pathname.startsWith(`${ISSUER_PATH}/`)) return answerIssuer(request, response, url, backends);
  if (url.pathname === '/_local' || url.pathname.startsWith('/_local/')) {
    answerLocal(request, response, url, backends);
    return;
  }
  const service = serviceOf(request, url);
  switch (service) {
    case 'sqs':
      return answerSqs(request, response, url, backends);
    case 's3': {
      const operation = `${request.method} ${url.pathname}`;
      const input = Object.fromEntries(url.searchParams);
      backends.authorize(credentialOf(request, url).accessKeyId, { service, operation, input });
      // Fauxqs would read the body of an object of this type as a request to SQS.
      if (/^application\/x-amz-json/i.test(request.headers['content-type'] ?? '')) {
        throw new AwsError('InvalidRequest', 'An object cannot have a content type of the JSON protocols here');
      }
      backends.fauxqs.handle(request, response);
      return;
    }
    case 'sts':
      // Nobody needs permission to be told who they are, and STS can do nothing else here.
      backends.fauxqs.handle(request, response);
      return;
    case 'sns':
      return answerSns(request, response, url, backends);
    case 'dynamodb':
      return answerDynamoDb(request, response, url, backends);
    case 'lambda':
      return answerLambda(request, response, url, backends);
    case 'events':
      return answerJson(request, response, url, backends, service);
    case 'ssm':
      return answerJson(request, response, url, backends, service);
    case 'ses':
      return answerSes(request, response, url, backends);
    case 'cloudformation': {
      const parameters = new URLSearchParams((await readBody(request)).toString());
      const operation = parameters.get('Action') ?? '';
      const input = Object.fromEntries(parameters);
      backends.authorize(credentialOf(request, url).accessKeyId, { service, operation, input });
      send(response, 200, 'text/xml', backends.cloudFormation(parameters));
      return;
    }
    case undefined:
      throw new AwsError(
        'MissingAuthenticationToken',
        'The request is not signed, so it does not say which AWS service it is for. See /_local/ for what is here',
        403,
      );
    default:
      throw new AwsError('UnknownService', `The service "${service}" is not available on this machine`, 501);
  }
}

/** @returns undefined for a request that is not for a path: `*`, another origin, what is no URL or not encoded properly */
function urlOf({ url: path = '' }: IncomingMessage): URL | undefined {
  const url = path.startsWith('/') ? URL.parse(`http://localhost${path}`) : null;
  try {
    decodeURIComponent(url?.pathname ?? '');
    return url ?? undefined;
  } catch {
    return undefined;
  }
}

/** What a request is signed with: `<access key id>/<date>/<region>/<service>/aws4_request`. */
function credentialOf(request: IncomingMessage, url: URL): { accessKeyId?: string; service?: string } {
  const credential =
    /Credential=([^,\s]+)/.exec(request.headers.authorization ?? '')?.[1] ?? url.searchParams.get('X-Amz-Credential');
  const [accessKeyId, _date, _region, service] = credential?.split('/') ?? [];
  return { ...(accessKeyId ? { accessKeyId } : {}), ...(service ? { service } : {}) };
}

function serviceOf(request: IncomingMessage, url: URL): string | undefined {
  const service = credentialOf(request, url).service ?? SERVICE_OF_TARGET[targetOf(request)?.prefix ?? ''];
  return service ?? (/^\/\d{4}-\d\d-\d\d\/(functions|event-source-mappings)/.test(url.pathname) ? 'lambda' : undefined);
}

function targetOf(request: IncomingMessage): { prefix: string; operation: string } | undefined {
  const target = request.headers['x-amz-target'];
  if (typeof target !== 'string') return undefined;
  const dot = target.lastIndexOf('.');
  return { prefix: target.slice(0, dot), operation: target.slice(dot + 1) };
}

function requiredTarget(request: IncomingMessage): { prefix: string; operation: string } {
  const target = targetOf(request);
  if (!target) throw new AwsError('MissingAction', 'The X-Amz-Target header is missing');
  return target;
}

/** https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
async function answerJson(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  backends: GatewayBackends,
  service: 'events' | 'ssm',
): Promise<void> {
  const { operation } = requiredTarget(request);
  const { accessKeyId } = credentialOf(request, url);
  const input = parseBody(await readBody(request));
  backends.authorize(accessKeyId, { service, operation, input });
  const output = await backends[service](operation, input, { accessKeyId });
  send(response, 200, request.headers['content-type'] ?? 'application/x-amz-json-1.1', JSON.stringify(output ?? {}));
}

async function answerLambda(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { lambda, authorize }: GatewayBackends,
): Promise<void> {
  const { method = 'GET', headers } = request;
  const call = { service: 'lambda', operation: `${method} ${url.pathname}`, input: {} } as const;
  authorize(credentialOf(request, url).accessKeyId, call);
  const body = (await readBody(request)).toString();
  const answer = await lambda({ method, path: url.pathname, query: url.searchParams, headers, body });
  response.writeHead(answer.status, answer.headers).end(answer.body);
}

async function answerSes(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { messages, onCall, authorize }: GatewayBackends,
): Promise<void> {
  if (request.method !== 'POST' || url.pathname !== '/v2/email/outbound-emails') {
    throw new AwsError(
      'UnknownOperationException',
      `SES ${request.method} ${url.pathname} is not available on this machine`,
      404,
    );
  }
  const input = parseBody(await readBody(request));
  const { accessKeyId } = credentialOf(request, url);
  authorize(accessKeyId, { service: 'ses', operation: 'SendEmail', input });
  const answer = sendEmail(messages, input);
  onCall?.({ service: 'ses', operation: 'SendEmail', accessKeyId, input });
  send(response, 200, 'application/json', JSON.stringify(answer));
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html */
async function answerSqs(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { fauxqs, authorize, onCall }: GatewayBackends,
): Promise<void> {
  const body = await readBody(request);
  const { accessKeyId } = credentialOf(request, url);
  const parameters = targetOf(request) ? undefined : new URLSearchParams(body.toString());
  const operation = targetOf(request)?.operation ?? parameters?.get('Action') ?? '';
  const input = parameters ? { QueueUrl: url.pathname, ...Object.fromEntries(parameters) } : parseBody(body);
  if (!parameters) checkSqsInput(input);
  authorize(accessKeyId, { service: 'sqs', operation, input });
  onCall?.({ service: 'sqs', operation, accessKeyId });
  const answer = await fauxqs.answer(buffered(request, body.length === 0 ? Buffer.from('{}') : body));
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  send(response, answer.status, answer.contentType, answer.body);
}

/** A request with the body that was read of it. */
function buffered(request: IncomingMessage, body: Buffer): BufferedRequest {
  const { 'content-encoding': _read, 'content-length': _length, ...headers } = request.headers;
  return { method: 'POST', url: request.url ?? '/', headers, body };
}

/** Publish to a phone number is captured, everything else is fauxqs's. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
async function answerSns(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { fauxqs, messages, authorize, onCall }: GatewayBackends,
): Promise<void> {
  const body = await readBody(request);
  const parameters = new URLSearchParams(body.toString());
  const phoneNumber = parameters.get('PhoneNumber');
  const operation = parameters.get('Action') ?? '';
  const { accessKeyId } = credentialOf(request, url);
  authorize(accessKeyId, { service: 'sns', operation, input: Object.fromEntries(parameters) });
  const taken = (): void => onCall?.({ service: 'sns', operation, accessKeyId, input: parameters });
  if (operation !== 'Publish' || phoneNumber === null) {
    const answer = await fauxqs.answer(buffered(request, body));
    taken();
    send(response, answer.status, answer.contentType, answer.body);
    return;
  }
  if (!/^\+[1-9]\d{1,14}$/.test(phoneNumber)) {
    throw new AwsError(
      'InvalidParameter',
      `Invalid parameter: PhoneNumber Reason: ${phoneNumber} is not valid to publish to`,
    );
  }
  const message = parameters.get('Message');
  if (!message) throw new AwsError('InvalidParameter', 'Invalid parameter: Empty message');
  const id = messages.capture({ kind: 'sms', to: [phoneNumber], text: message });
  taken();
  send(
    response,
    200,
    'text/xml',
    `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>${id}</MessageId></PublishResult>` +
      `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></PublishResponse>`,
  );
}

async function answerDynamoDb(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { dynamodb, authorize, dynamodbCounter, onDynamoDbWrite }: GatewayBackends,
): Promise<void> {
  const { operation } = requiredTarget(request);
  const { accessKeyId } = credentialOf(request, url);
  const body = await readBody(request);
  authorize(accessKeyId, { service: 'dynamodb', operation, input: parseBody(body) });
  const read = { url: request.url ?? '/', headers: request.headers, operation, body };
  await dynamodb.answer(read, response, dynamodbCounter?.(accessKeyId));
  if (DYNAMODB_WRITES.has(operation)) onDynamoDbWrite(accessKeyId);
}

async function answerIssuer(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { issuer }: GatewayBackends,
): Promise<void> {
  const body = (await readBody(request)).toString();
  const answer = await issuer({ method: request.method ?? '', path: url.pathname.slice(ISSUER_PATH.length), body });
  send(response, answer.status, 'application/json', `${JSON.stringify(answer.body, null, 2)}\n`);
}

function answerLocal(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { messages, alarms, refusals, health }: GatewayBackends,
): void {
  const answer = (status: number, body: unknown): void => {
    send(response, status, 'application/json', `${JSON.stringify(body, null, 2)}\n`);
  };
  const path = `${request.method} ${url.pathname.replace(/\/$/, '')}`;
  switch (path) {
    case 'GET /_local':
      answer(200, {
        'GET /_local/messages':
          'e-mails and SMS that functions sent, newest last; ?to=<recipient> and ?kind=email|sms filter',
        'DELETE /_local/messages': 'forgets them',
        'GET /_local/refusals': 'what functions and services were not allowed to do, since the start',
        'GET /_local/alarms': 'the CloudWatch alarms of all stacks, each with its state and the reason for it',
        'POST /_local/issuer/token':
          'a token for the HTTP APIs, for {"sub": "ada", "scope": "orders:read orders:write", "expiresIn": 3600}',
        'GET /_local/issuer/.well-known/openid-configuration': 'who issues them; beside it jwks.json, their keys',
        'GET /_local/health': 'what runs here',
        'everything else':
          'AWS APIs: SQS, SNS, S3, STS, DynamoDB and its streams, EventBridge, Lambda, SSM, SES, a part of CloudFormation',
      });
      return;
    case 'GET /_local/messages':
      answer(200, {
        messages: messages.list({
          to: url.searchParams.get('to') ?? undefined,
          kind: url.searchParams.get('kind') ?? undefined,
        }),
      });
      return;
    case 'DELETE /_local/messages':
      messages.clear();
      response.writeHead(204).end();
      return;
    case 'GET /_local/refusals':
      answer(200, { refusals: refusals() });
      return;
    case 'GET /_local/alarms':
      answer(200, { alarms: alarms() });
      return;
    case 'GET /_local/health':
      answer(200, health());
      return;
    default:
      answer(404, { message: `There is no ${path} here; GET /_local/ lists what there is` });
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // What is left is still read, so that the caller gets the answer and not a broken connection.
    if (size <= BODY_LIMIT_BYTES) chunks.push(chunk);
  }
  if (size > BODY_LIMIT_BYTES)
    throw new AwsError('RequestEntityTooLarge', `The body is larger than ${BODY_LIMIT_BYTES} bytes`, 413);
  const body = Buffer.concat(chunks);
  if (request.headers['content-encoding'] !== 'gzip') return body;
  try {
    return gunzipSync(body, { maxOutputLength: BODY_LIMIT_BYTES });
  } catch (error) {
    throw new AwsError('SerializationException', `The body is not valid gzip: ${(error as Error).message}`);
  }
}

function parseBody(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = body.length === 0 ? {} : JSON.parse(body.toString());
    if (isStructure(value) && !isDeeperThan(value, MAX_DEPTH)) return value;
  } catch {
    // Reported below, like JSON that is not an object.
  }
  throw new AwsError('SerializationException', `The body is not a JSON object of at most ${MAX_DEPTH} levels`);
}

function isStructure(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeperThan(part, levels - 1));
}

/** The error in the form that the request's protocol has for it. */
function answerError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const { code, status, message } =
    error instanceof AwsError
      ? error
      : { code: 'InternalFailure', status: 500, message: error instanceof Error ? error.message : String(error) };
  const contentType = request.headers['content-type'] ?? '';
  const url = urlOf(request);
  if (url && serviceOf(request, url) === 's3') {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    const body = `<Error><Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message></Error>`;
    send(response, status, 'application/xml', body);
    return;
  }
  if (contentType.startsWith('application/x-www-form-urlencoded')) {
    const type = status < 500 ? 'Sender' : 'Receiver';
    const body = `<ErrorResponse><Error><Type>${type}</Type><Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`;
    send(response, status, 'text/xml', body);
    return;
  }
  response.setHeader('x-amzn-errortype', code);
  const type = contentType.startsWith('application/x-amz-json') ? contentType : 'application/json';
  send(response, status, type, JSON.stringify({ __type: code, message }));
}

function send(response: ServerResponse, status: number, contentType: string, body: string | Buffer): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
