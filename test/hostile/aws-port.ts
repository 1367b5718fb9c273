import { Agent, request } from 'node:http';

/** An answer of the AWS APIs. */
export interface AwsAnswer {
  status: number;
  text: string;
}

const targets = { sqs: 'AmazonSQS', events: 'AWSEvents', dynamodb: 'DynamoDB_20120810', ssm: 'AmazonSSM' } as const;

/** The header that says who calls which service; nobody checks the rest of it on this machine. */
export function signatureOf(accessKeyId: string, service: string): string {
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;
}

/**
 * The AWS APIs of a running system, at a fifth of an SDK's CPU time, and without an SDK's opinion of what may be sent.
 */
export class AwsPort {
  readonly url: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string) {
    this.url = url;
  }

  /** Calls an operation with a body as it is. */
  async send(
    service: keyof typeof targets,
    operation: string,
    body: string | Buffer,
    accessKeyId = 'operator',
  ): Promise<AwsAnswer> {
    return this.#request('POST', '/', body, {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `${targets[service]}.${operation}`,
      authorization: signatureOf(accessKeyId, service),
    });
  }

  /** Calls an operation. @throws Error when it fails, with what the service says */
  async call<Output>(service: keyof typeof targets, operation: string, input: object): Promise<Output> {
    const { status, text } = await this.send(service, operation, JSON.stringify(input));
    if (status !== 200) throw new Error(`${service} ${operation}: ${status} ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as Output;
  }

  /** Asks something of the runtime itself, or of an API that has paths. @throws Error unless the answer is 200 */
  async get<Output>(path: string, service = 'lambda'): Promise<Output> {
    const { status, text } = await this.#request('GET', path, '', { authorization: signatureOf('operator', service) });
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${text}`);
    return JSON.parse(text) as Output;
  }

  /** Closes the connections that are kept open. */
  close(): void {
    this.#agent.destroy();
  }

  #request(method: string, path: string, body: string | Buffer, headers: Record<string, string>): Promise<AwsAnswer> {
    return new Promise((resolve, reject) => {
      const sent = request(`${this.url}${path}`, { method, agent: this.#agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
