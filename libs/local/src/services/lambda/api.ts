import { lambdaLimits } from '@millrace/events/aws-limits';
import { AwsError } from '../../core/aws-error.ts';
import type { EventSourceMapping, EventSourceMappingSettings } from './event-source-mapping.ts';
import type { FunctionPool } from './function-pool.ts';

export interface LambdaRequest {
  method: string;
  /** Without the query string, still percent-encoded. */
  path: string;
  query: URLSearchParams;
  /** Lower-case names. */
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export interface LambdaResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** What there is to invoke, list and update. */
export interface LambdaRegistry {
  /** By function name. */
  functions: ReadonlyMap<string, FunctionPool>;
  mappings: readonly EventSourceMapping[];
  /** An asynchronous invocation failed: nobody else will hear of it. */
  onAsyncFailure?: (functionName: string, payload: string) => void;
}

const MAX_ITEMS = 50;

const FUNCTIONS = '/2015-03-31/functions';
const MAPPINGS = '/2015-03-31/event-source-mappings';

/**
 * Answers one request of Lambda's REST API: Invoke (RequestResponse, Event, DryRun), GetFunction, GetFunctionConfiguration,
 * ListFunctions, and List-, Get- and UpdateEventSourceMapping. An asynchronous invocation is not tried again when it fails.
 *
 * https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
 * @returns the response, an error being one too: it never throws for what the caller did wrong
 */
export async function handleLambdaRequest(request: LambdaRequest, registry: LambdaRegistry): Promise<LambdaResponse> {
  try {
    return await route(request, registry);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const { code, status, message } = error;
    return {
      status,
      headers: { 'content-type': 'application/json', 'x-amzn-errortype': code },
      body: JSON.stringify({ Type: status < 500 ? 'User' : 'Service', Message: message }),
    };
  }
}

async function route(request: LambdaRequest, registry: LambdaRegistry): Promise<LambdaResponse> {
  const { method, query } = request;
  const path = request.path.replace(/\/$/, '');
  const [, collection, identifier, part] = /^(\/2015-03-31\/[^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(path) ?? [];
  const name = identifier === undefined ? undefined : decode(identifier);

  switch (`${method} ${collection}${name === undefined ? '' : '/*'}${part === undefined ? '' : `/${part}`}`) {
    case `GET ${FUNCTIONS}`: {
      const { page, next } = paginate([...registry.functions.values()].map(functionConfiguration), query);
      return json({ Functions: page, ...next });
    }
    case `GET ${FUNCTIONS}/*`: {
      const pool = findFunction(name, query, registry);
      return json({ Configuration: functionConfiguration(pool), Code: { RepositoryType: 'S3' } });
    }
    case `GET ${FUNCTIONS}/*/configuration`:
      return json(functionConfiguration(findFunction(name, query, registry)));
    case `POST ${FUNCTIONS}/*/invocations`:
      return invoke(findFunction(name, query, registry), request, registry);
    case `GET ${MAPPINGS}`: {
      const source = query.get('EventSourceArn');
      const functionName = query.get('FunctionName');
      const found = registry.mappings
        .map((mapping) => mapping.configuration())
        .filter(({ EventSourceArn }) => source === null || source === EventSourceArn)
        .filter(({ FunctionArn }) => functionName === null || plainName(functionName) === plainName(FunctionArn));
      const { page, next } = paginate(found, query);
      return json({ EventSourceMappings: page, ...next });
    }
    case `GET ${MAPPINGS}/*`:
      return json(findMapping(name, registry).configuration());
    case `PUT ${MAPPINGS}/*`: {
      const mapping = findMapping(name, registry);
      const { FunctionName: _function, ...settings } = parseBody(request.body) as EventSourceMappingSettings & {
        FunctionName?: string;
      };
      // The answer does not wait for the batches under way: it says Disabling.
      const updated = mapping.update(settings);
      await Promise.race([updated, new Promise((resolve) => setImmediate(resolve))]);
      updated.catch(() => undefined);
      return json(mapping.configuration(), 202);
    }
    default:
      throw new AwsError(
        'UnknownOperationException',
        `${method} ${request.path} is not one of Lambda's operations here`,
        404,
      );
  }
}

async function invoke(pool: FunctionPool, request: LambdaRequest, registry: LambdaRegistry): Promise<LambdaResponse> {
  const payload = request.body === '' ? '{}' : request.body;
  try {
    JSON.parse(payload);
  } catch (error) {
    throw new AwsError(
      'InvalidRequestContentException',
      `Could not parse request body into json: ${(error as Error).message}`,
    );
  }
  const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
  switch (type) {
    case 'DryRun':
      return { status: 204, headers: {}, body: '' };
    case 'Event': {
      const size = Buffer.byteLength(payload);
      if (size > lambdaLimits.asyncPayloadBytes) {
        throw new AwsError(
          'RequestTooLargeException',
          `${size} byte payload is too large for the Event invocation type (limit ${lambdaLimits.asyncPayloadBytes} bytes)`,
          413,
        );
      }
      const failed = (): void => registry.onAsyncFailure?.(pool.definition.name, payload);
      pool.invoke(payload).then(({ functionError }) => functionError && failed(), failed);
      return { status: 202, headers: {}, body: '' };
    }
    case 'RequestResponse': {
      const result = await pool.invoke(payload);
      return {
        status: 200,
        headers: {
          'content-type': 'application/json',
          'x-amzn-requestid': result.requestId,
          'x-amz-executed-version': '$LATEST',
          ...(result.functionError ? { 'x-amz-function-error': result.functionError } : {}),
          ...(request.headers['x-amz-log-type'] === 'Tail'
            ? { 'x-amz-log-result': Buffer.from(result.logTail).toString('base64') }
            : {}),
        },
        body: result.payload,
      };
    }
    default:
      throw new AwsError('InvalidParameterValueException', `Unknown invocation type ${type}`);
  }
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html */
function functionConfiguration({ definition }: FunctionPool): Record<string, unknown> {
  return {
    FunctionName: definition.name,
    FunctionArn: definition.arn,
    Runtime: 'nodejs24.x',
    Handler: definition.handler,
    Timeout: definition.timeoutSeconds,
    MemorySize: definition.memoryMb,
    Version: '$LATEST',
    Environment: { Variables: definition.environment },
    PackageType: 'Zip',
    State: 'Active',
    LastUpdateStatus: 'Successful',
  };
}

/** The name in a function name, a partial or a full ARN, each with or without a version. */
function plainName(nameOrArn: string): string {
  const parts = nameOrArn.split(':');
  const marker = parts.indexOf('function');
  return parts[marker + 1] ?? '';
}

function findFunction(name: string | undefined, query: URLSearchParams, { functions }: LambdaRegistry): FunctionPool {
  const pool = functions.get(plainName(name ?? ''));
  const qualifier =
    query.get('Qualifier') ??
    /:function:[^:]+:(.+)$|^[^:]+:([^:]+)$/
      .exec(name ?? '')
      ?.slice(1)
      .find(Boolean) ??
    '$LATEST';
  if (!pool || qualifier !== '$LATEST') {
    throw new AwsError(
      'ResourceNotFoundException',
      `Function not found: ${name}${qualifier === '$LATEST' ? '' : `:${qualifier}`}`,
      404,
    );
  }
  return pool;
}

function findMapping(uuid: string | undefined, { mappings }: LambdaRegistry): EventSourceMapping {
  const mapping = mappings.find((candidate) => candidate.uuid === uuid);
  if (!mapping) throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404);
  return mapping;
}

function paginate<T>(items: T[], query: URLSearchParams): { page: T[]; next: { NextMarker?: string } } {
  const from = Number(query.get('Marker') ?? 0);
  const size = Math.min(Number(query.get('MaxItems') ?? MAX_ITEMS), MAX_ITEMS);
  if (!Number.isInteger(from) || from < 0 || !Number.isInteger(size) || size < 1) {
    throw new AwsError('InvalidParameterValueException', 'Marker or MaxItems is not valid');
  }
  const end = from + size;
  return { page: items.slice(from, end), next: end < items.length ? { NextMarker: String(end) } : {} };
}

function parseBody(body: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new AwsError('InvalidRequestContentException', 'The request body is no JSON object');
  }
  return parsed as Record<string, unknown>;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new AwsError('InvalidParameterValueException', `${segment} is not a valid name`);
  }
}

function json(value: unknown, status = 200): LambdaResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
