import type { RestRoute } from '../../core/service.ts';

const FUNCTIONS = '/2015-03-31/functions';
const FUNCTION = `${FUNCTIONS}/{FunctionName}`;
const MAPPINGS = '/2015-03-31/event-source-mappings';
const INVOKE_CONFIG = '/2019-09-25/functions/{FunctionName}/event-invoke-config';
const CONCURRENCY = 'functions/{FunctionName}/concurrency';
const TAGS = '/2017-03-31/tags/{Resource}';
const PAGE = { Marker: 'Marker', MaxItems: 'MaxItems#' };
const EXECUTION = '/2025-12-01/durable-executions/{DurableExecutionArn}';
const CALLBACK = '/2025-12-01/durable-execution-callbacks/{CallbackId}';
const EXECUTION_PAGE = { Marker: 'Marker', MaxItems: 'MaxItems#' };
const QUALIFIER = { Qualifier: 'Qualifier' };

type Rest = Omit<RestRoute, 'operation' | 'method' | 'path'>;

function route(operation: string, method: string, path: string, rest: Rest = {}): RestRoute {
  return { operation, method, path, ...rest };
}

/** The operations that are here, after the SDK's model. https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html */
const available: readonly RestRoute[] = [
  route('Invoke', 'POST', `${FUNCTION}/invocations`, {
    query: QUALIFIER,
    headers: {
      'x-amz-invocation-type': 'InvocationType',
      'x-amz-log-type': 'LogType',
      'x-amz-client-context': 'ClientContext',
      'x-amz-durable-execution-name': 'DurableExecutionName',
      // Not in the model: X-Ray's, which clients add to a request.
      'x-amzn-trace-id': 'TraceHeader',
    },
    payload: 'Payload',
  }),
  route('ListFunctions', 'GET', FUNCTIONS, { query: { ...PAGE, FunctionVersion: 'FunctionVersion' } }),
  route('GetFunction', 'GET', FUNCTION, { query: QUALIFIER }),
  route('GetFunctionConfiguration', 'GET', `${FUNCTION}/configuration`, { query: QUALIFIER }),
  route('UpdateFunctionConfiguration', 'PUT', `${FUNCTION}/configuration`),
  route('PublishVersion', 'POST', `${FUNCTION}/versions`, { status: 201 }),
  route('ListVersionsByFunction', 'GET', `${FUNCTION}/versions`, { query: PAGE }),
  route('CreateAlias', 'POST', `${FUNCTION}/aliases`, { status: 201 }),
  route('ListAliases', 'GET', `${FUNCTION}/aliases`, { query: { ...PAGE, FunctionVersion: 'FunctionVersion' } }),
  route('GetAlias', 'GET', `${FUNCTION}/aliases/{Name}`),
  route('UpdateAlias', 'PUT', `${FUNCTION}/aliases/{Name}`),
  route('DeleteAlias', 'DELETE', `${FUNCTION}/aliases/{Name}`, { status: 204 }),
  route('PutFunctionConcurrency', 'PUT', `/2017-10-31/${CONCURRENCY}`),
  route('DeleteFunctionConcurrency', 'DELETE', `/2017-10-31/${CONCURRENCY}`, { status: 204 }),
  route('GetFunctionConcurrency', 'GET', `/2019-09-30/${CONCURRENCY}`),
  route('ListTags', 'GET', TAGS),
  route('TagResource', 'POST', TAGS, { status: 204 }),
  route('UntagResource', 'DELETE', TAGS, { query: { tagKeys: 'TagKeys[]' }, status: 204 }),
  route('PutFunctionEventInvokeConfig', 'PUT', INVOKE_CONFIG, { query: QUALIFIER }),
  route('UpdateFunctionEventInvokeConfig', 'POST', INVOKE_CONFIG, { query: QUALIFIER }),
  route('GetFunctionEventInvokeConfig', 'GET', INVOKE_CONFIG, { query: QUALIFIER }),
  route('DeleteFunctionEventInvokeConfig', 'DELETE', INVOKE_CONFIG, { query: QUALIFIER, status: 204 }),
  route('ListFunctionEventInvokeConfigs', 'GET', `${INVOKE_CONFIG}/list`, { query: PAGE }),
  route('ListEventSourceMappings', 'GET', MAPPINGS, {
    query: { ...PAGE, EventSourceArn: 'EventSourceArn', FunctionName: 'FunctionName' },
  }),
  route('GetEventSourceMapping', 'GET', `${MAPPINGS}/{UUID}`),
  route('CreateEventSourceMapping', 'POST', MAPPINGS, { status: 202 }),
  route('DeleteEventSourceMapping', 'DELETE', `${MAPPINGS}/{UUID}`, { status: 202 }),
  route('UpdateEventSourceMapping', 'PUT', `${MAPPINGS}/{UUID}`, { status: 202 }),
  route('GetDurableExecution', 'GET', EXECUTION, { query: { IncludeExecutionData: 'IncludeExecutionData' } }),
  route('GetDurableExecutionHistory', 'GET', `${EXECUTION}/history`, {
    query: { ...EXECUTION_PAGE, IncludeExecutionData: 'IncludeExecutionData', ReverseOrder: 'ReverseOrder' },
  }),
  route('GetDurableExecutionState', 'GET', `${EXECUTION}/state`, {
    query: { ...EXECUTION_PAGE, CheckpointToken: 'CheckpointToken' },
  }),
  route('CheckpointDurableExecution', 'POST', `${EXECUTION}/checkpoint`),
  route('StopDurableExecution', 'POST', `${EXECUTION}/stop`),
  route('ListDurableExecutionsByFunction', 'GET', '/2025-12-01/functions/{FunctionName}/durable-executions', {
    query: {
      ...{ ...EXECUTION_PAGE, ...QUALIFIER, DurableExecutionName: 'DurableExecutionName', Statuses: 'Statuses[]' },
      ...{ StartedAfter: 'StartedAfter', StartedBefore: 'StartedBefore', ReverseOrder: 'ReverseOrder' },
    },
  }),
  route('SendDurableExecutionCallbackSuccess', 'POST', `${CALLBACK}/succeed`, { payload: 'Result' }),
  route('SendDurableExecutionCallbackFailure', 'POST', `${CALLBACK}/fail`),
  route('SendDurableExecutionCallbackHeartbeat', 'POST', `${CALLBACK}/heartbeat`),
];

/** Operations that are refused by their names. */
const refused: readonly RestRoute[] = [
  route('CreateFunction', 'POST', FUNCTIONS),
  route('DeleteFunction', 'DELETE', FUNCTION),
  route('UpdateFunctionCode', 'PUT', `${FUNCTION}/code`),
  route('AddPermission', 'POST', `${FUNCTION}/policy`),
  route('GetPolicy', 'GET', `${FUNCTION}/policy`),
  route('RemovePermission', 'DELETE', `${FUNCTION}/policy/{StatementId}`),
  route('GetAccountSettings', 'GET', '/2016-08-19/account-settings'),
  route('InvokeAsync', 'POST', '/2014-11-13/functions/{FunctionName}/invoke-async', { payload: 'InvokeArgs' }),
  route('InvokeWithResponseStream', 'POST', '/2021-11-15/functions/{FunctionName}/response-streaming-invocations', {
    payload: 'Payload',
  }),
  route('CreateFunctionUrlConfig', 'POST', '/2021-10-31/functions/{FunctionName}/url'),
  route('GetFunctionUrlConfig', 'GET', '/2021-10-31/functions/{FunctionName}/url'),
  route('UpdateFunctionUrlConfig', 'PUT', '/2021-10-31/functions/{FunctionName}/url'),
  route('DeleteFunctionUrlConfig', 'DELETE', '/2021-10-31/functions/{FunctionName}/url'),
  route('ListFunctionUrlConfigs', 'GET', '/2021-10-31/functions/{FunctionName}/urls'),
  route('GetProvisionedConcurrencyConfig', 'GET', '/2019-09-30/functions/{FunctionName}/provisioned-concurrency'),
  route('PutProvisionedConcurrencyConfig', 'PUT', '/2019-09-30/functions/{FunctionName}/provisioned-concurrency'),
  route('DeleteProvisionedConcurrencyConfig', 'DELETE', '/2019-09-30/functions/{FunctionName}/provisioned-concurrency'),
  route('GetFunctionRecursionConfig', 'GET', '/2024-08-31/functions/{FunctionName}/recursion-config'),
  route('PutFunctionRecursionConfig', 'PUT', '/2024-08-31/functions/{FunctionName}/recursion-config'),
  route('GetRuntimeManagementConfig', 'GET', '/2021-07-20/functions/{FunctionName}/runtime-management-config'),
  route('PutRuntimeManagementConfig', 'PUT', '/2021-07-20/functions/{FunctionName}/runtime-management-config'),
  route('GetFunctionCodeSigningConfig', 'GET', '/2020-06-30/functions/{FunctionName}/code-signing-config'),
  route('PutFunctionCodeSigningConfig', 'PUT', '/2020-06-30/functions/{FunctionName}/code-signing-config'),
  route('DeleteFunctionCodeSigningConfig', 'DELETE', '/2020-06-30/functions/{FunctionName}/code-signing-config'),
  route('ListLayers', 'GET', '/2018-10-31/layers'),
  route('ListLayerVersions', 'GET', '/2018-10-31/layers/{LayerName}/versions'),
  route('PublishLayerVersion', 'POST', '/2018-10-31/layers/{LayerName}/versions'),
  route('GetLayerVersion', 'GET', '/2018-10-31/layers/{LayerName}/versions/{VersionNumber}'),
  route('DeleteLayerVersion', 'DELETE', '/2018-10-31/layers/{LayerName}/versions/{VersionNumber}'),
  route('ListCodeSigningConfigs', 'GET', '/2020-04-22/code-signing-configs'),
  route('CreateCodeSigningConfig', 'POST', '/2020-04-22/code-signing-configs'),
  route('ListCapacityProviders', 'GET', '/2025-11-30/capacity-providers'),
  route('CreateCapacityProvider', 'POST', '/2025-11-30/capacity-providers'),
];

/** How requests map to Lambda's operations. */
export const lambdaRoutes: readonly RestRoute[] = [...available, ...refused];
