import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import { HttpAnswer } from '../../core/http-message.ts';
import { type Api, apiOf, type Operations } from '../../core/service.ts';
import type { AsyncInvocations } from './async-invocations.ts';
import { codeDigest } from './code-digest.ts';
import type { EventInvokeConfigs } from './event-invoke-configs.ts';
import { LATEST, parseFunctionIdentifier } from './function-identifier.ts';
import type { Functions } from './functions.ts';
import { invalidParameter, notFound } from './lambda-errors.ts';
import type { LocalFunction, VersionConfiguration } from './local-function.ts';
import type { Mappings } from './mappings.ts';

/** What there is to invoke, list and change. */
export interface LambdaParts {
  functions: Functions;
  mappings: Mappings;
  asyncInvocations: AsyncInvocations;
  invokeConfigs: EventInvokeConfigs;
}

const MAX_ITEMS = 50;

/**
 * Makes Lambda's API.
 *
 * https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
 * @param parts asked for with each call: they are there once the stacks are
 */
export function lambdaApi(parts: () => LambdaParts): Api {
  return apiOf('Lambda', {
    ...functionOperations(parts),
    ...invokeConfigOperations(parts),
    ...mappingOperations(parts),
  });
}

/** A function that a request names, and the qualifier that it has in its name or beside it. */
interface Named {
  found: LocalFunction;
  qualifier: string | undefined;
}

/** @throws AwsError ResourceNotFoundException for a function, a version or an alias that is not there */
function findFunction({ FunctionName, Qualifier }: Input, { functions }: LambdaParts): Named {
  const { name, qualifier: inName } = parseFunctionIdentifier(String(FunctionName));
  if (inName !== undefined && Qualifier !== undefined && inName !== Qualifier) {
    throw invalidParameter('The derived qualifier from the function name does not match the specified qualifier.');
  }
  const qualifier = inName ?? (Qualifier === undefined ? undefined : String(Qualifier));
  const found = functions.byName.get(name);
  if (!found) throw notFound(`Function not found: ${FunctionName}${qualifier === undefined ? '' : `:${qualifier}`}`);
  found.version(qualifier);
  return { found, qualifier };
}

function functionOperations(parts: () => LambdaParts): Operations {
  return {
    Invoke: (input) => invoke(input, parts()),
    ListFunctions: ({ FunctionVersion, ...page }) => {
      const functions = [...parts().functions.byName.values()];
      const listed = FunctionVersion === 'ALL' ? functions.flatMap(allVersions) : functions.map(latestOf);
      const { items, next } = paginate(listed, page);
      return { Functions: items, ...next };
    },
    GetFunction: (input) => {
      const { found, qualifier } = findFunction(input, parts());
      const { reservedConcurrency, tags } = found;
      return {
        Configuration: describe(found, qualifier),
        Code: { RepositoryType: 'S3' },
        ...(tags.size > 0 && { Tags: Object.fromEntries(tags) }),
        ...(reservedConcurrency !== undefined && {
          Concurrency: { ReservedConcurrentExecutions: reservedConcurrency },
        }),
      };
    },
    GetFunctionConfiguration: (input) => {
      const { found, qualifier } = findFunction(input, parts());
      return describe(found, qualifier);
    },
  };
}

async function invoke(input: Input, parts: LambdaParts): Promise<unknown> {
  const { found, qualifier } = findFunction(input, parts);
  const payload = readPayload(input.Payload as Buffer);
  const [traceHeader, clientContext] = [textOf(input.TraceHeader), readClientContext(input.ClientContext)];
  switch (input.InvocationType ?? 'RequestResponse') {
    case 'DryRun':
      return new HttpAnswer(204, {}, '');
    case 'Event': {
      const given = { functionName: found.name, qualifier, payload, traceHeader, clientContext };
      const requestId = parts.asyncInvocations.accept(given);
      return new HttpAnswer(202, { 'x-amzn-requestid': requestId }, '');
    }
    case 'RequestResponse': {
      const result = await found.invoke(payload, { qualifier, traceHeader, clientContext });
      const headers = {
        'content-type': 'application/json',
        'x-amzn-requestid': result.requestId,
        'x-amz-executed-version': result.executedVersion,
        ...(result.functionError && { 'x-amz-function-error': result.functionError }),
        ...(input.LogType === 'Tail' && { 'x-amz-log-result': Buffer.from(result.logTail).toString('base64') }),
        ...(traceHeader !== undefined && { 'x-amzn-trace-id': traceHeader }),
      };
      return new HttpAnswer(200, headers, result.payload);
    }
    default:
      throw invalidParameter(`Unknown invocation type ${input.InvocationType}`);
  }
}

function invokeConfigOperations(parts: () => LambdaParts): Operations {
  const named = (input: Input): [string, string | undefined] => {
    const { found, qualifier } = findFunction(input, parts());
    return [found.name, qualifier];
  };
  return {
    PutFunctionEventInvokeConfig: (input) => parts().invokeConfigs.put(...named(input), input),
    UpdateFunctionEventInvokeConfig: (input) => parts().invokeConfigs.put(...named(input), input, true),
    GetFunctionEventInvokeConfig: (input) => parts().invokeConfigs.get(...named(input)),
    DeleteFunctionEventInvokeConfig: (input) => parts().invokeConfigs.delete(...named(input)),
    ListFunctionEventInvokeConfigs: (input) => {
      const { items, next } = paginate(parts().invokeConfigs.list(named(input)[0]), input);
      return { FunctionEventInvokeConfigs: items, ...next };
    },
  };
}

function mappingOperations(parts: () => LambdaParts): Operations {
  return {
    ListEventSourceMappings: ({ EventSourceArn, FunctionName, ...page }) => {
      const name = FunctionName === undefined ? undefined : parseFunctionIdentifier(String(FunctionName)).name;
      const found = parts()
        .mappings.list()
        .filter((mapping) => EventSourceArn === undefined || EventSourceArn === mapping.EventSourceArn)
        .filter(({ FunctionArn }) => name === undefined || name === parseFunctionIdentifier(FunctionArn).name);
      const { items, next } = paginate(found, page);
      return { EventSourceMappings: items, ...next };
    },
    GetEventSourceMapping: ({ UUID }) => parts().mappings.get(String(UUID)),
    CreateEventSourceMapping: (input) => parts().mappings.create(input),
    UpdateEventSourceMapping: ({ UUID, ...changes }) => parts().mappings.update(String(UUID), changes),
    DeleteEventSourceMapping: ({ UUID }) => parts().mappings.delete(String(UUID)),
  };
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html */
function describe(found: LocalFunction, qualifier?: string): Record<string, unknown> {
  const { configuration } = found.version(qualifier);
  return {
    ...describeVersion(configuration),
    FunctionArn: found.arnOf(qualifier),
    LastUpdateStatus: configuration.version === LATEST && found.isUpdating ? 'InProgress' : 'Successful',
  };
}

function describeVersion(version: VersionConfiguration): Record<string, unknown> {
  return {
    FunctionName: version.name,
    FunctionArn: `${version.arn}:${version.version}`,
    Runtime: 'nodejs24.x',
    Role: version.role,
    Handler: version.handler,
    Description: version.description,
    Timeout: version.timeoutSeconds,
    MemorySize: version.memoryMb,
    LastModified: new Date(version.lastModified).toISOString().replace('Z', '+0000'),
    CodeSha256: codeDigest(version.codeDirectory),
    Version: version.version,
    ...(version.deadLetterQueue !== undefined && { DeadLetterConfig: { TargetArn: version.deadLetterQueue } }),
    Environment: { Variables: version.environment },
    RevisionId: version.revisionId,
    PackageType: 'Zip',
    State: 'Active',
    LastUpdateStatus: 'Successful',
  };
}

const latestOf = (found: LocalFunction): Record<string, unknown> => describe(found);
const allVersions = (found: LocalFunction): Record<string, unknown>[] => found.versions().map(describeVersion);

/** @throws AwsError InvalidRequestContentException */
function readPayload(body: Buffer): string {
  const payload = body.length === 0 ? '{}' : body.toString();
  try {
    JSON.parse(payload);
  } catch (error) {
    const message = `Could not parse request body into json: ${(error as Error).message}`;
    throw new AwsError('InvalidRequestContentException', message, 400, { Type: 'User' });
  }
  return payload;
}

/** @throws AwsError InvalidRequestContentException */
function readClientContext(given: unknown): string | undefined {
  const text = textOf(given);
  if (text === undefined) return undefined;
  try {
    JSON.parse(Buffer.from(text, 'base64').toString());
    return text;
  } catch {
    const message = 'Client context must be a valid Base64-encoded JSON object.';
    throw new AwsError('InvalidRequestContentException', message, 400, { Type: 'User' });
  }
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

/** @throws AwsError InvalidParameterValueException */
export function paginate<T>(
  all: readonly T[],
  { Marker = 0, MaxItems = MAX_ITEMS }: Input,
): { items: readonly T[]; next: { NextMarker?: string } } {
  const from = Number(Marker);
  const size = Math.min(Number(MaxItems), MAX_ITEMS);
  if (!Number.isInteger(from) || from < 0 || !Number.isInteger(size) || size < 1) {
    throw invalidParameter('Marker or MaxItems is not valid');
  }
  const end = from + size;
  return { items: all.slice(from, end), next: end < all.length ? { NextMarker: String(end) } : {} };
}
