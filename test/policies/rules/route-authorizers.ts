import type { CompiledService } from '../compiled-workspace.ts';
import type { Finding, Rule } from '../rule.ts';
import { at, type Entry, entriesOf, list, referenceTo } from '../template.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html */
export const routeAuthorizers: Rule = {
  name: 'route-authorizers',
  why: 'whoever finds the address of an API calls it',
  check(service) {
    const routes = entriesOf(service, 'AWS::ApiGatewayV2::Route').flatMap((route): Finding[] => {
      const problem = problemOf(route, service);
      return problem ? [{ resource: route.id, problem: `${route.properties.RouteKey}: ${problem}` }] : [];
    });
    // A function's own address is a route without an API.
    const addresses = entriesOf(service, 'AWS::Lambda::Url')
      .filter(({ properties }) => properties.AuthType !== 'AWS_IAM')
      .map(({ id, properties }) => ({ resource: id, problem: `AuthType is ${properties.AuthType}, not AWS_IAM` }));
    return [...routes, ...addresses];
  },
};

function problemOf({ properties }: Entry, service: CompiledService): string | undefined {
  const { AuthorizationType, AuthorizerId, AuthorizationScopes } = properties;
  if (AuthorizationType !== 'JWT') return `AuthorizationType is ${AuthorizationType}, not JWT`;
  const authorizer = entriesOf(service, 'AWS::ApiGatewayV2::Authorizer').find(
    ({ id }) => id === referenceTo(AuthorizerId),
  );
  if (!authorizer)
    return `AuthorizerId is ${JSON.stringify(AuthorizerId)}, which is not an authorizer of this template`;
  const { JwtConfiguration } = authorizer.properties;
  const issuer = at(JwtConfiguration, 'Issuer');
  if (typeof issuer !== 'string' || !issuer.startsWith('https://')) return `its issuer is ${JSON.stringify(issuer)}`;
  if (list(at(JwtConfiguration, 'Audience')).length === 0)
    return "its authorizer takes the issuer's tokens for anybody";
  const scopes = list(AuthorizationScopes);
  if (scopes.length === 0) return 'AuthorizationScopes is empty: every token will do';
  const wanted = /^GET /.test(String(properties.RouteKey)) ? /^[a-z]+:read$/ : /^[a-z]+:write$/;
  // Of several, one is enough.
  if (scopes.length > 1 || !wanted.test(String(scopes[0]))) {
    return `AuthorizationScopes is ${JSON.stringify(scopes)}, not one as ${wanted} describes`;
  }
  return undefined;
}
