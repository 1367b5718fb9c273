import { awsQuery } from '../../core/protocols/query.ts';
import type { Protocol } from '../../core/service.ts';

/** Not an operation of SNS: what `SigningCertURL` of a message leads to. */
export const GET_CERTIFICATE = 'GetSigningCertificate';
const CERTIFICATE_PATH = /^\/SimpleNotificationService-\w+\.pem$/;

/** What the links in messages ask for, without a signature. */
const links: ReadonlySet<string | null> = new Set(['ConfirmSubscription', 'Unsubscribe']);

/** True for a link in a message. */
export function isLink(method: string, url: URL): boolean {
  return method === 'GET' && (CERTIFICATE_PATH.test(url.pathname) || links.has(url.searchParams.get('Action')));
}

/** https://docs.aws.amazon.com/sns/latest/api/CommonParameters.html */
const query = awsQuery({
  namespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
  maps: ['Attributes', 'attributes'],
  errorCodes: { MalformedQueryString: 'InvalidParameter' },
});

/** The query protocol, and the path of the certificate that messages are signed with. */
export const snsProtocol: Protocol = {
  ...query,
  read: (request, service) => {
    const { method, url } = request;
    return method === 'GET' && CERTIFICATE_PATH.test(url.pathname)
      ? { operation: GET_CERTIFICATE, input: { Path: url.pathname } }
      : query.read(request, service);
  },
};
