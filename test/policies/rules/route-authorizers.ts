import type { CompiledService } from '../compiled-workspace.ts';
import type { Finding, Rule } from '../rule.ts';
import { at, type Entry, entriesOf, list, referenceTo } from '../template.ts';

/**
 * The routes that anybody may call. `POST /interactions`: a visitor has no token; the route has limits of its own, takes views
 * from pages of the shop alone, and nothing personal.
 */
const publicRoutes: Readonly<Record<string, readonly string[]>> = { interactions: ['POST /interactions'] };

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
  const { AuthorizationType, AuthorizerId, AuthorizationScopes, RouteKey } = properties;
  if (publicRoutes[service.name]?.includes(String(RouteKey))) {
    const isOpen = [AuthorizationType, AuthorizerId, AuthorizationScopes].every((value) => value === undefined);
    return isOpen ? undefined : 'is for visitors, who have no token, and wants one';
  }
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
  const wanted = /^GET /.test(String(RouteKey)) ? /^[a-z]+:read$/ : /^[a-z]+:write$/;
  // Of several, one is enough.
  if (scopes.length > 1 || !wanted.test(String(scopes[0]))) {
    return `AuthorizationScopes is ${JSON.stringify(scopes)}, not one as ${wanted} describes`;
  }
  return undefined;
}
