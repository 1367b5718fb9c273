import type { APIGatewayEventRequestContextV2, APIGatewayProxyEventV2WithRequestContext } from 'aws-lambda';
import { HttpError } from './problem.ts';

/**
 * A request as an HTTP API with a JWT authorizer hands it to its integration, payload format 2.0. API Gateway gives every
 * claim as text; emulators of it leave a boolean as it is.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
 */
export type HttpApiEvent = APIGatewayProxyEventV2WithRequestContext<
  APIGatewayEventRequestContextV2 & { authorizer?: { jwt?: { claims?: Readonly<Record<string, string>> } } }
>;

/** Who sends a request, as the verified token says. */
export interface Caller {
  /** The claim `sub`, https://www.rfc-editor.org/rfc/rfc7519#section-4.1.2 */
  subject: string;
  /** The claim `scope` (https://www.rfc-editor.org/rfc/rfc8693#section-4.2), or else `scp`. */
  scopes: readonly string[];
  /** The claim `email`, if the issuer has verified it: `email_verified`. */
  email?: string;
  /** The claim `phone_number`, if the issuer has verified it: `phone_number_verified`. */
  phone?: string;
}

/** "It MUST NOT exceed 255 ASCII characters", https://openid.net/specs/openid-connect-core-1_0.html#IDToken */
const subjectPattern = /^[\x20-\x7e]{1,255}$/;

/**
 * The caller of a request. API Gateway has verified the token; a route that was deployed without an authorizer has no
 * claims, and answers nobody.
 * @throws HttpError 401 without the claim `sub`, or when it is not 1–255 printable ASCII characters
 */
export function callerOf(event: HttpApiEvent): Caller {
  const claims = event.requestContext.authorizer?.jwt?.claims ?? {};
  const { sub, scope, scp = '', email, phone_number: phone } = claims;
  if (!sub) throw new HttpError(401, 'UNAUTHENTICATED', 'The request has no token that says who sends it');
  if (!subjectPattern.test(sub)) {
    throw new HttpError(401, 'UNAUTHENTICATED', "The token's sub must be 1–255 printable ASCII characters");
  }
  return {
    subject: sub,
    scopes: scopesOf(scope ?? scp),
    ...(email && String(claims.email_verified) === 'true' && { email }),
    ...(phone && String(claims.phone_number_verified) === 'true' && { phone }),
  };
}

/** The scopes of a claim: a text with spaces, or a list, which API Gateway hands on as `[orders:read orders:write]`. */
function scopesOf(claim: string): string[] {
  const [, list] = /^\[(.*)\]$/.exec(claim) ?? [];
  return (list ?? claim).split(' ').filter(Boolean);
}
