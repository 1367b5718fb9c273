import { stableId } from '@millrace/cloudformation';
import type { ResourceType } from '../../core/service.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGatewayV2.html */
export const httpApiResourceTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::ApiGatewayV2::Api': {
    ref: stableId,
    attributes: {
      ApiId: stableId,
      ApiEndpoint: (r) => `https://${stableId(r)}.execute-api.${r.region}.amazonaws.com`,
    },
    properties: ['Name', 'ProtocolType', 'Description', 'CorsConfiguration', 'Tags'],
  },
  'AWS::ApiGatewayV2::Stage': {
    nameProperty: 'StageName',
    attributes: {},
    // Access logs go nowhere here.
    properties: [
      ...['ApiId', 'StageName', 'AutoDeploy', 'Description', 'DefaultRouteSettings', 'RouteSettings'],
      ...['AccessLogSettings', 'Tags'],
    ],
  },
  'AWS::ApiGatewayV2::Route': {
    ref: stableId,
    attributes: { RouteId: stableId },
    properties: [
      ...['ApiId', 'RouteKey', 'Target', 'AuthorizationType', 'AuthorizationScopes', 'AuthorizerId', 'OperationName'],
    ],
  },
  'AWS::ApiGatewayV2::Authorizer': {
    ref: stableId,
    attributes: { AuthorizerId: stableId },
    properties: ['ApiId', 'Name', 'AuthorizerType', 'IdentitySource', 'JwtConfiguration'],
  },
  'AWS::ApiGatewayV2::Integration': {
    ref: stableId,
    attributes: { IntegrationId: stableId },
    properties: [
      ...['ApiId', 'IntegrationType', 'IntegrationUri', 'PayloadFormatVersion', 'TimeoutInMillis', 'Description'],
      'IntegrationMethod',
    ],
  },
};
