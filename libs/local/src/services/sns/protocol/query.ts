import { AwsError } from '../../../core/aws-error.ts';
import { HttpAnswer } from '../../../core/http-message.ts';
import type { Protocol } from '../../../core/service.ts';
import { readQuery, writeError, writeResult } from './query-documents.ts';

const NAMESPACE = 'http://sns.amazonaws.com/doc/2010-03-31/';
const headers = { 'content-type': 'text/xml' };

/** Not an operation of SNS: what `SigningCertURL` of a message leads to. */
export const GET_CERTIFICATE = 'GetSigningCertificate';
const CERTIFICATE_PATH = /^\/SimpleNotificationService-\w+\.pem$/;

/** What the links in messages ask for, without a signature. */
const links: ReadonlySet<string | null> = new Set(['ConfirmSubscription', 'Unsubscribe']);

/** True for a link in a message. */
export function isLink(method: string, url: URL): boolean {
  return method === 'GET' && (CERTIFICATE_PATH.test(url.pathname) || links.has(url.searchParams.get('Action')));
}

/**
 * The query protocol. The parameters are in the body of a POST, or in the URL of a GET.
 * https://docs.aws.amazon.com/sns/latest/api/CommonParameters.html
 */
export const query: Protocol = {
  matches: () => true,
  read: ({ method, url, body }) => {
    if (method === 'GET' && CERTIFICATE_PATH.test(url.pathname)) {
      return { operation: GET_CERTIFICATE, input: { Path: url.pathname } };
    }
    const parameters = method === 'GET' ? url.searchParams : new URLSearchParams(body.toString());
    const operation = parameters.get('Action') ?? '';
    if (operation === '') throw new AwsError('MissingAction', 'The request must contain the parameter Action.');
    return { operation, input: readQuery(parameters) };
  },
  answer: (output, operation, { id }) =>
    new HttpAnswer(200, headers, writeResult(NAMESPACE, operation, output as Record<string, unknown>, id)),
  error: (error, _headers, { id }) => new HttpAnswer(error.status, headers, writeError(NAMESPACE, error, id)),
};
