import { HttpAnswer, type HttpRequest } from '../core/http-message.ts';
import type { Messages } from '../core/messages.ts';

/** What the routes below `/_local` tell, beside the AWS APIs. They need no signature, and count for nothing. */
export interface LocalRoutesOptions {
  messages: Messages;
  alarms: () => unknown;
  /** By service, what a console shows of it. */
  consoles: () => Readonly<Record<string, unknown>>;
  refusals: () => unknown;
  health: () => unknown;
  /** Answers below `/_local/issuer`. */
  issuer: (request: { method: string; path: string; body: string }) => Promise<{ status: number; body: unknown }>;
}

/** Below it, the issuer's own paths. */
const ISSUER_PATH = '/_local/issuer';

const INDEX = {
  'GET /_local/messages':
    'e-mails and SMS that functions sent, newest last; ?to=<recipient> and ?kind=email|sms filter',
  'DELETE /_local/messages': 'forgets them',
  'GET /_local/refusals': 'what functions and services were not allowed to do, since the start',
  'GET /_local/alarms': 'the CloudWatch alarms of all stacks, each with its state and the reason for it',
  'GET /_local/services': 'the services that run here, each with what it shows of itself',
  'POST /_local/issuer/token':
    'a token for the HTTP APIs, for {"sub": "ada", "scope": "orders:read orders:write", "expiresIn": 3600}',
  'GET /_local/issuer/.well-known/openid-configuration': 'who issues them; beside it jwks.json, their keys',
  'GET /_local/health': 'what runs here',
  'everything else':
    'AWS APIs: SQS, SNS, S3, STS, DynamoDB and its streams, EventBridge and its Scheduler, Lambda, CloudWatch and its Logs, SSM, SES, what CloudFormation tells',
};

/** True if a path belongs to the runtime itself and not to an AWS API. */
export function isLocalPath({ pathname }: URL): boolean {
  return pathname === '/_local' || pathname.startsWith('/_local/');
}

/** The runtime's own routes. */
export class LocalRoutes {
  readonly #options: LocalRoutesOptions;

  constructor(options: LocalRoutesOptions) {
    this.#options = options;
  }

  async answer({ method, url, body }: HttpRequest): Promise<HttpAnswer> {
    const { messages, alarms, consoles, refusals, health, issuer } = this.#options;
    if (url.pathname.startsWith(`${ISSUER_PATH}/`)) {
      const path = url.pathname.slice(ISSUER_PATH.length);
      const answer = await issuer({ method, path, body: body.toString() });
      return document(answer.status, answer.body);
    }
    const path = `${method} ${url.pathname.replace(/\/$/, '')}`;
    switch (path) {
      case 'GET /_local':
        return document(200, INDEX);
      case 'GET /_local/messages': {
        const [to, kind] = ['to', 'kind'].map((name) => url.searchParams.get(name) ?? undefined);
        return document(200, { messages: messages.list({ to, kind }) });
      }
      case 'DELETE /_local/messages':
        messages.clear();
        return new HttpAnswer(204, {}, '');
      case 'GET /_local/refusals':
        return document(200, { refusals: refusals() });
      case 'GET /_local/alarms':
        return document(200, { alarms: alarms() });
      case 'GET /_local/services':
        return document(200, { services: consoles() });
      case 'GET /_local/health':
        return document(200, health());
      default:
        return document(404, { message: `There is no ${path} here; GET /_local/ lists what there is` });
    }
  }
}

function document(status: number, body: unknown): HttpAnswer {
  return new HttpAnswer(status, { 'content-type': 'application/json' }, `${JSON.stringify(body, null, 2)}\n`);
}
