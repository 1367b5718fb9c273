import type { ResolvedResource } from './http-resources.ts';

/** What a template says about the tokens that an API takes. */
export interface JwtAuthorizer {
  /** Who declared it, for messages. */
  service: string;
  logicalId: string;
  /** What refers to it: the `AuthorizerId` of its routes. */
  authorizerId: string;
  /** Where a request carries its token. */
  identitySource: { in: 'header' | 'querystring'; name: string };
  issuer: string;
  audiences: readonly string[];
}

/** `$request.header.Authorization`, `$request.querystring.token` */
const IDENTITY_SOURCE = /^\$request\.(header|querystring)\.([^.\s]+)$/;

/**
 * Reads the authorizers of a service.
 *
 * @throws Error naming the service and the logical id of an authorizer that is none of JWTs, or of which something is missing
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-authorizer.html
 */
export function jwtAuthorizersOf(service: string, resources: readonly ResolvedResource[]): JwtAuthorizer[] {
  return resources
    .filter(({ type }) => type === 'AWS::ApiGatewayV2::Authorizer')
    .map(({ logicalId, physicalId, properties }) => {
      const refuse = (reason: string): never => {
        throw new Error(`${service}: the authorizer ${logicalId} ${reason}`);
      };
      const { AuthorizerType, IdentitySource, JwtConfiguration } = properties;
      if (AuthorizerType !== 'JWT') {
        refuse(`has the type ${AuthorizerType}, and only JWT authorizers are available on this machine`);
      }
      const sources = Array.isArray(IdentitySource) ? IdentitySource : [IdentitySource];
      const [, place, name] = IDENTITY_SOURCE.exec(String(sources[0])) ?? [];
      if (sources.length !== 1 || place === undefined || name === undefined) {
        return refuse(
          `must have one identity source, $request.header.<name> or $request.querystring.<name>, not ${JSON.stringify(IdentitySource)}`,
        );
      }
      const { Issuer, Audience } = (JwtConfiguration ?? {}) as { Issuer?: unknown; Audience?: unknown };
      if (typeof Issuer !== 'string' || Issuer === '') return refuse('has no JwtConfiguration.Issuer');
      if (!Array.isArray(Audience) || Audience.length === 0) return refuse('has no JwtConfiguration.Audience');
      return {
        service,
        logicalId,
        authorizerId: physicalId,
        identitySource: { in: place === 'header' ? 'header' : 'querystring', name },
        issuer: Issuer,
        audiences: Audience.map(String),
      };
    });
}

/**
 * Whose tokens the services take, and for whom these must be: there is one issuer on this machine, so they must agree about it.
 *
 * @returns undefined when no service asks for a token
 * @throws Error naming two services that do not agree
 */
export function issuerOf(
  authorizers: readonly JwtAuthorizer[],
): { issuer: string; audiences: readonly string[] } | undefined {
  const [first] = authorizers;
  if (first === undefined) return undefined;
  const other = authorizers.find(({ issuer }) => issuer !== first.issuer);
  if (other !== undefined) {
    throw new Error(
      `${first.service} takes tokens of ${first.issuer} (${first.logicalId}) and ${other.service} of ${other.issuer} ` +
        `(${other.logicalId}); on this machine all services must name the same issuer`,
    );
  }
  return { issuer: first.issuer, audiences: [...new Set(authorizers.flatMap(({ audiences }) => audiences))] };
}
