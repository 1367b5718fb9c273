import { Cors } from './cors.ts';
import type { ResolvedResource } from './http-resources.ts';
import type { RouteAuthorization } from './jwt-authorization.ts';
import { jwtAuthorizersOf } from './jwt-authorizer.ts';
import { type Route, STAGE } from './route.ts';
import type { RouteLimit } from './token-bucket.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const INTEGRATION_TIMEOUT_MS = 30_000;

/**
 * Reads the routes that a service declares, each with its function, its authorizer, its API's CORS and its stage's limits.
 *
 * @throws Error naming the service, the resource and what this machine cannot do with it
 */
export function routesOf(service: string, resources: readonly ResolvedResource[]): Route[] {
  const ofType = (type: string): ResolvedResource[] =>
    resources.filter((resource) => resource.type === `AWS::ApiGatewayV2::${type}`);
  const integrations = new Map(ofType('Integration').map((resource) => [resource.physicalId, resource.properties]));
  const authorizationOf = authorizationsOf(service, resources);
  const cors = new Map(
    ofType('Api').flatMap(({ physicalId, properties: { CorsConfiguration } }) =>
      CorsConfiguration ? [[physicalId, new Cors(CorsConfiguration)] as const] : [],
    ),
  );
  const routes = ofType('Route').map((resource) => {
    const { logicalId, properties } = resource;
    const integration = integrations.get(String(properties.Target).replace(/^integrations\//, ''));
    const functionArn = /arn:aws[^:]*:lambda:[^:]*:\d+:function:[^/:]+/.exec(String(integration?.IntegrationUri))?.[0];
    if (integration?.IntegrationType !== 'AWS_PROXY' || functionArn === undefined) {
      throw new Error(`${service}: ${logicalId} (${properties.RouteKey}) has no AWS_PROXY integration with a function`);
    }
    if (integration.PayloadFormatVersion !== '2.0') {
      throw new Error(`${service}: ${logicalId} (${properties.RouteKey}) must have payload format 2.0`);
    }
    return {
      routeKey: String(properties.RouteKey),
      service,
      apiId: String(properties.ApiId),
      functionArn,
      timeoutMs: Number(integration.TimeoutInMillis ?? INTEGRATION_TIMEOUT_MS),
      authorization: authorizationOf(resource),
      cors: cors.get(String(properties.ApiId)),
    };
  });
  const stages = ofType('Stage').map((stage) => ({
    apiId: String(stage.properties.ApiId),
    limitOf: limitsOf(service, stage, routes),
    stageVariables: stageVariablesOf(service, stage),
  }));
  return routes.map((route) => {
    const stage = stages.find(({ apiId }) => apiId === route.apiId);
    return { ...route, limit: stage?.limitOf(route.routeKey), stageVariables: stage?.stageVariables };
  });
}

/**
 * @returns undefined when the stage has none
 * @throws Error for a stage whose name would be a part of its paths
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
 */
function stageVariablesOf(
  service: string,
  { logicalId, properties: { StageName = STAGE, StageVariables } }: ResolvedResource,
): Record<string, string> | undefined {
  if (StageName !== STAGE) {
    throw new Error(
      `${service}: ${logicalId} is named "${StageName}"; only the stage ${STAGE} is available on this machine`,
    );
  }
  return StageVariables as Record<string, string> | undefined;
}

/** @returns what finds a route's authorization: undefined when anybody may call it */
function authorizationsOf(
  service: string,
  resources: readonly ResolvedResource[],
): (route: ResolvedResource) => RouteAuthorization | undefined {
  const authorizers = jwtAuthorizersOf(service, resources);
  return ({ logicalId, properties: { RouteKey, AuthorizationType = 'NONE', AuthorizerId, AuthorizationScopes } }) => {
    if (AuthorizationType === 'NONE') return undefined;
    const authorizer = authorizers.find(({ authorizerId }) => authorizerId === AuthorizerId);
    if (AuthorizationType !== 'JWT' || authorizer === undefined) {
      throw new Error(
        `${service}: ${logicalId} (${RouteKey}) has the authorization type ${AuthorizationType} and ` +
          `${authorizer === undefined ? 'no authorizer of its own stack' : `the authorizer ${authorizer.logicalId}`}; ` +
          'only JWT authorizers are available on this machine',
      );
    }
    return { authorizer, scopes: Array.isArray(AuthorizationScopes) ? AuthorizationScopes.map(String) : [] };
  };
}

/**
 * @returns what finds a route's limit by its key: undefined when neither the route nor the stage has one
 * @throws Error for settings of a route that is not there, which CloudFormation would refuse too
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
 */
function limitsOf(
  service: string,
  { logicalId, properties: { ApiId, DefaultRouteSettings, RouteSettings } }: ResolvedResource,
  routes: readonly { routeKey: string; apiId: string }[],
): (routeKey: string) => RouteLimit | undefined {
  const settings = (RouteSettings ?? {}) as Record<string, object>;
  const stray = Object.keys(settings).find(
    (key) => !routes.some(({ routeKey, apiId }) => routeKey === key && apiId === String(ApiId)),
  );
  if (stray !== undefined)
    throw new Error(`${service}: RouteSettings of ${logicalId} name "${stray}", which is not a route`);
  return (routeKey) => {
    const { ThrottlingRateLimit, ThrottlingBurstLimit }: Record<string, unknown> = {
      ...(DefaultRouteSettings ?? {}),
      ...settings[routeKey],
    };
    if (ThrottlingRateLimit === undefined && ThrottlingBurstLimit === undefined) return undefined;
    const limit = { rate: Number(ThrottlingRateLimit), burst: Number(ThrottlingBurstLimit) };
    if (!(limit.rate >= 0 && limit.burst >= 0)) {
      throw new Error(
        `${service}: ${logicalId} must have both a ThrottlingRateLimit and a ThrottlingBurstLimit for ${routeKey}, ` +
          `not ${ThrottlingRateLimit} and ${ThrottlingBurstLimit}`,
      );
    }
    return limit;
  };
}
