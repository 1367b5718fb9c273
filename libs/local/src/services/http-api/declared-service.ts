import type { ResolvedResource } from './http-api.ts';

export const arnOf = (functionName: string): string => `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`;

/** What a service of a test declares besides routes with a function of its name. */
export interface Declaration {
  /** Properties of every integration. */
  integration?: Record<string, unknown>;
  /** Properties of every route. */
  route?: Record<string, unknown>;
  /** Of its API, its stage or its authorizer, by the end of the type's name. */
  others?: Record<string, Record<string, unknown>>;
}

/** A service with an HTTP API, as its compiled template would declare it; every physical id begins with its name. */
export function declaredService(
  name: string,
  routeKeys: string[],
  { integration = {}, route = {}, others = {} }: Declaration = {},
): { name: string; resources: ResolvedResource[] } {
  const ApiId = `api-${name}`;
  const routes = routeKeys.flatMap((RouteKey, index): ResolvedResource[] => [
    {
      logicalId: `Integration${index}`,
      physicalId: `${name}-integration-${index}`,
      type: 'AWS::ApiGatewayV2::Integration',
      properties: {
        IntegrationType: 'AWS_PROXY',
        IntegrationUri: arnOf(name),
        PayloadFormatVersion: '2.0',
        TimeoutInMillis: 30_000,
        ...integration,
      },
    },
    {
      logicalId: `Route${index}`,
      physicalId: `${name}-route-${index}`,
      type: 'AWS::ApiGatewayV2::Route',
      properties: { ApiId, RouteKey, Target: `integrations/${name}-integration-${index}`, ...route },
    },
  ]);
  const rest = Object.entries(others).map(([type, properties]) => ({
    logicalId: `The${type}`,
    physicalId: type === 'Api' ? ApiId : `${name}-${type.toLowerCase()}`,
    type: `AWS::ApiGatewayV2::${type}`,
    properties: { ...(type === 'Api' ? {} : { ApiId }), ...properties },
  }));
  return { name, resources: [...routes, ...rest] };
}
