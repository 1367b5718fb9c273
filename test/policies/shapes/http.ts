import { computed, judgedBy, matching, object, oneOf, reference, type Shape, type TypeShape } from '../shape.ts';

/**
 * What an access log may hold: no address, path, query, header or claim. `routeKey` is the route's template.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
 */
const logged = new Set([
  'requestId',
  'requestTime',
  'routeKey',
  'status',
  'error.message',
  'authorizer.error',
  'integrationStatus',
  'integrationErrorMessage',
  'responseLatency',
  'integrationLatency',
  'responseLength',
]);
const alwaysLogged = ['requestId', 'requestTime', 'routeKey', 'status', 'authorizer.error'];

const accessLogFormat: Shape = (value, path) => {
  const variables = [...String(value).matchAll(/\$context\.([A-Za-z.]+)/g)].map(([, name = '']) => name);
  return [
    ...variables.filter((name) => !logged.has(name)).map((name) => `${path} logs ${name}, which may be personal`),
    ...alwaysLogged.filter((name) => !variables.includes(name)).map((name) => `${path} does not log ${name}`),
    ...(isJson(value) ? [] : [`${path} is not JSON`]),
  ];
};

function isJson(value: unknown): boolean {
  try {
    const fields = Object.values(JSON.parse(String(value)) as object);
    return fields.every((field) => /^\$context\.[A-Za-z.]+$/.test(field));
  } catch {
    return false;
  }
}

/** The HTTP API of a service. An API without routes of its own, or one that is imported, is left out: its routes are not seen here. */
export const http: Readonly<Record<string, TypeShape>> = {
  'AWS::ApiGatewayV2::Api': {
    properties: {
      Name: computed(({ service }) => `${service.stage}-millrace-${service.name}`),
      ProtocolType: oneOf('HTTP'),
      Tags: judgedBy('tags'),
      CorsConfiguration: judgedBy('cors-origins'),
    },
  },
  'AWS::ApiGatewayV2::Stage': {
    properties: {
      ApiId: reference('AWS::ApiGatewayV2::Api'),
      StageName: oneOf('$default'),
      AutoDeploy: oneOf(true),
      AccessLogSettings: object({
        DestinationArn: oneOf({ 'Fn::GetAtt': ['HttpApiLogGroup', 'Arn'] }),
        Format: accessLogFormat,
      }),
      DefaultRouteSettings: judgedBy('route-limits'),
      RouteSettings: judgedBy('route-limits'),
      Tags: judgedBy('tags'),
    },
  },
  'AWS::ApiGatewayV2::Authorizer': {
    properties: {
      ApiId: reference('AWS::ApiGatewayV2::Api'),
      Name: matching(/^[a-z]+$/),
      AuthorizerType: oneOf('JWT'),
      // Not in the query string: addresses are logged, kept in histories and passed on as referrers.
      IdentitySource: oneOf(['$request.header.Authorization']),
      JwtConfiguration: object({
        Issuer: computed(({ workspace }) => workspace.parameters.jwtIssuer),
        Audience: computed(({ workspace }) => [workspace.parameters.jwtAudience]),
      }),
    },
  },
  'AWS::ApiGatewayV2::Integration': {
    properties: {
      ApiId: reference('AWS::ApiGatewayV2::Api'),
      IntegrationType: oneOf('AWS_PROXY'),
      IntegrationUri: reference('AWS::Lambda::Function', 'Arn'),
      PayloadFormatVersion: oneOf('2.0'),
      TimeoutInMillis: oneOf(30_000), // the longest: a function's own timeout ends before it and says why
    },
  },
  'AWS::ApiGatewayV2::Route': {
    properties: {
      ApiId: reference('AWS::ApiGatewayV2::Api'),
      RouteKey: judgedBy('event-paths'),
      Target: judgedBy('event-paths'),
      AuthorizationType: judgedBy('route-authorizers'),
      AuthorizerId: judgedBy('route-authorizers'),
      AuthorizationScopes: judgedBy('route-authorizers'),
    },
  },
};
