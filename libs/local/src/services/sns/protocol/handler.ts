import type { IncomingMessage, ServerResponse } from 'node:http';
import { AwsError } from '../../../aws-error.ts';
import { readQuery, writeQueryError, writeResult } from '../../../query-protocol.ts';
import type { Sns } from '../api.ts';
import type { SnsCaller } from '../context.ts';

export interface SnsHandlerOptions {
  sns: Sns;
  /** Throws AwsError when the caller may not call the operation. */
  authorize?: (call: { operation: string; input: Record<string, unknown>; accessKeyId: string | undefined }) => void;
  /** Who an access key is of. */
  callerOf?: (accessKeyId: string) => SnsCaller;
}

const namespace = 'http://sns.amazonaws.com/doc/2010-03-31/';

/** Messages of a batch are encoded, and so may be three times as long. */
const BODY_LIMIT_BYTES = 2 * 1024 ** 2;

/** Operations that the links in messages lead to, without a signature. */
const links = new Set(['ConfirmSubscription', 'Unsubscribe']);

/**
 * Answers the requests of SNS's query API, of the links in its messages, and for the certificate that they are signed with.
 * https://docs.aws.amazon.com/sns/latest/api/CommonParameters.html
 *
 * @returns a function that answers one request; it resolves when the answer has been written, whatever it is
 * @example createServer(createSnsHandler({ sns }));
 */
export function createSnsHandler(
  options: SnsHandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { sns, authorize, callerOf = () => ({ accountId: sns.accountId }) } = options;
  const answer = async (request: IncomingMessage): Promise<{ contentType: string; text: string }> => {
    const url = URL.parse(request.url ?? '/', 'http://localhost');
    if (
      request.method === 'GET' &&
      url?.pathname.startsWith('/SimpleNotificationService-') &&
      url.pathname === sns.certificate.path
    ) {
      return { contentType: 'application/x-pem-file', text: sns.certificate.pem };
    }
    const parameters =
      request.method === 'POST'
        ? new URLSearchParams(await readBody(request))
        : (url?.searchParams ?? new URLSearchParams());
    const operation = parameters.get('Action') ?? '';
    if (operation === '') throw new AwsError('MissingAction', 'The request must contain the parameter Action.');
    const accessKeyId = /Credential=([^/,\s]+)/.exec(request.headers.authorization ?? '')?.[1];
    const input = readQuery(parameters);
    if (accessKeyId !== undefined || !links.has(operation)) authorize?.({ operation, input, accessKeyId });
    const output = sns.call(operation, input, accessKeyId === undefined ? {} : callerOf(accessKeyId));
    return { contentType: 'text/xml', text: writeResult(namespace, operation, output) };
  };
  return async (request, response) => {
    try {
      const { contentType, text } = await answer(request);
      response.writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }).end(text);
    } catch (error) {
      const { status, text } = writeQueryError(namespace, error);
      const headers = { 'content-type': 'text/xml', 'content-length': Buffer.byteLength(text) };
      response.writeHead(status, request.complete ? headers : { ...headers, connection: 'close' }).end(text);
      request.resume();
    }
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Not destroyed with what is left of it: the answer is still to be sent.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT_BYTES)
      throw new AwsError('RequestEntityTooLarge', `The body is larger than ${BODY_LIMIT_BYTES} bytes`, 413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
