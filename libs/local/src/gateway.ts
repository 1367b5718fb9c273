import { randomUUID } from 'node:crypto';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { gunzipSync } from 'node:zlib';
import { AwsError } from './aws-error.ts';
import type { Fauxqs } from './fauxqs.ts';
import type { LambdaRequest, LambdaResponse } from './lambda/api.ts';
import type { Messages } from './messages.ts';
import { sendEmail } from './ses-api.ts';
import type { ApiCall } from './usage/api-usage.ts';
import { escapeXml } from './xml.ts';

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
  /** Origin of DynamoDB. */
  dynamodb: string;
  /** Is told after a request that may have written to a table. */
  onDynamoDbWrite: () => void;
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
  /** What `/_local/health` answers. */
  health: () => unknown;
}

const BODY_LIMIT_BYTES = 10 * 1024 * 1024;

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

/** Headers that belong to one connection and are not passed on. https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'proxy-connection',
]);

/**
 * The AWS APIs on one port, for any SDK and the AWS CLI. A request's service is the one it is signed for.
 *
 * @param backends requests that come before they are ready wait for them
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export function createGateway(backends: Promise<GatewayBackends>): Server {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((request, response) => {
    response.setHeader('x-amzn-requestid', randomUUID());
    const answered = backends.then((ready) => route(request, response, ready, agent));
    answered.catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else answerError(request, response, error);
    });
  });
  // Longer than the SDKs keep a connection, so that none is closed under a request that is being sent.
  server.keepAliveTimeout = 65_000;
  server.on('close', () => agent.destroy());
  return server;
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  backends: GatewayBackends,
  agent: Agent,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname === '/_local' || url.pathname.startsWith('/_local/')) {
    answerLocal(request, response, url, backends);
    return;
  }
  const service = serviceOf(request, url);
  switch (service) {
    case 'sqs':
    case 's3':
    case 'sts':
      if (service === 'sqs' && backends.onCall) {
        const { accessKeyId } = credentialOf(request, url);
        backends.onCall({ service, operation: targetOf(request)?.operation ?? '', accessKeyId });
      }
      backends.fauxqs.handle(request, response);
      return;
    case 'sns':
      return answerSns(request, response, url, backends);
    case 'dynamodb':
      return proxyDynamoDb(request, response, backends, agent);
    case 'lambda':
      return answerLambda(request, response, url, backends);
    case 'events':
      return answerJson(request, response, url, backends.events);
    case 'ssm':
      return answerJson(request, response, url, backends.ssm);
    case 'ses':
      return answerSes(request, response, url, backends);
    case 'cloudformation': {
      const parameters = new URLSearchParams((await readBody(request)).toString());
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

/** https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
async function answerJson(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  operation: Operation,
): Promise<void> {
  const target = targetOf(request);
  if (!target) throw new AwsError('MissingAction', 'The X-Amz-Target header is missing');
  const { accessKeyId } = credentialOf(request, url);
  const output = await operation(target.operation, parseBody(await readBody(request)), { accessKeyId });
  send(response, 200, request.headers['content-type'] ?? 'application/x-amz-json-1.1', JSON.stringify(output ?? {}));
}

async function answerLambda(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { lambda }: GatewayBackends,
): Promise<void> {
  const { method = 'GET', headers } = request;
  const body = (await readBody(request)).toString();
  const answer = await lambda({ method, path: url.pathname, query: url.searchParams, headers, body });
  response.writeHead(answer.status, answer.headers).end(answer.body);
}

async function answerSes(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { messages, onCall }: GatewayBackends,
): Promise<void> {
  if (request.method !== 'POST' || url.pathname !== '/v2/email/outbound-emails') {
    throw new AwsError(
      'UnknownOperationException',
      `SES ${request.method} ${url.pathname} is not available on this machine`,
      404,
    );
  }
  const input = parseBody(await readBody(request));
  const answer = sendEmail(messages, input);
  onCall?.({ service: 'ses', operation: 'SendEmail', accessKeyId: credentialOf(request, url).accessKeyId, input });
  send(response, 200, 'application/json', JSON.stringify(answer));
}

/** Publish to a phone number is captured, everything else is fauxqs's. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
async function answerSns(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { fauxqs, messages, onCall }: GatewayBackends,
): Promise<void> {
  const body = await readBody(request);
  const parameters = new URLSearchParams(body.toString());
  const phoneNumber = parameters.get('PhoneNumber');
  const operation = parameters.get('Action') ?? '';
  const taken = (): void =>
    onCall?.({ service: 'sns', operation, accessKeyId: credentialOf(request, url).accessKeyId, input: parameters });
  if (operation !== 'Publish' || phoneNumber === null) {
    const { 'content-encoding': _read, 'content-length': _length, ...headers } = request.headers;
    const answer = await fauxqs.answer({ method: 'POST', url: request.url ?? '/', headers, body });
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

async function proxyDynamoDb(
  request: IncomingMessage,
  response: ServerResponse,
  { dynamodb, onDynamoDbWrite }: GatewayBackends,
  agent: Agent,
): Promise<void> {
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.has(name)));
  // DynamoDB Local takes letters and digits only, and keeps the tables of each access key id apart.
  if (headers.authorization !== undefined) {
    headers.authorization = String(headers.authorization).replace(/Credential=[^/]*/, 'Credential=local');
  }
  await new Promise<void>((resolve, reject) => {
    const upstream = httpRequest(new URL(request.url ?? '/', dynamodb), { method: request.method, headers, agent });
    upstream.on('response', (answer) => {
      const passedOn = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.has(name));
      response.writeHead(answer.statusCode ?? 502, Object.fromEntries(passedOn));
      answer.pipe(response);
      answer.on('end', resolve);
      answer.on('error', reject);
    });
    upstream.on('error', (error) => {
      reject(new AwsError('ServiceUnavailable', `DynamoDB does not answer: ${error.message}`, 503));
    });
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  });
  if (DYNAMODB_WRITES.has(targetOf(request)?.operation ?? '')) onDynamoDbWrite();
}

function answerLocal(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { messages, alarms, health }: GatewayBackends,
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
        'GET /_local/alarms': 'the CloudWatch alarms of all stacks, each with its state and the reason for it',
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
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Reported below, like JSON that is not an object.
  }
  throw new AwsError('SerializationException', 'The body is not a JSON object');
}

/** The error in the form that the request's protocol has for it. */
function answerError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const { code, status, message } =
    error instanceof AwsError
      ? error
      : { code: 'InternalFailure', status: 500, message: error instanceof Error ? error.message : String(error) };
  const contentType = request.headers['content-type'] ?? '';
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
