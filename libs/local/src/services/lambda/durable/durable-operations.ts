import { durableLimits } from '@millrace/events/aws-limits';
import type { Input } from '../../../core/access.ts';
import { AwsError } from '../../../core/aws-error.ts';
import type { Operations } from '../../../core/service.ts';
import { checkRange, invalidParameter, validationError } from '../lambda-errors.ts';
import { findFunction, type LambdaParts } from '../request.ts';
import { describeDurableConfig } from './durable-config.ts';
import type { DurableExecutions } from './durable-executions.ts';
import { type ErrorObject, type Execution, withDates } from './execution-state.ts';
import { withoutData } from './history-events.ts';
import { fitPage, pageOf } from './invocation-payload.ts';
import type { OperationUpdate } from './operation-updates.ts';

/** Lambda's operations on durable executions. https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html */
export function durableOperations(parts: () => LambdaParts): Operations {
  const executions = (): DurableExecutions => parts().durableExecutions;
  return {
    CheckpointDurableExecution: ({ DurableExecutionArn, CheckpointToken, ClientToken, Updates = [] }) => {
      const clientToken = ClientToken === undefined ? undefined : String(ClientToken);
      if (!Array.isArray(Updates)) throw new AwsError('SerializationException', 'Updates must be a list');
      return executions()
        .live(DurableExecutionArn)
        .checkpoint(CheckpointToken, clientToken, Updates as OperationUpdate[]);
    },
    GetDurableExecutionState: ({ DurableExecutionArn, CheckpointToken, ...page }) => {
      const operations = executions().live(DurableExecutionArn).state(CheckpointToken);
      const { from, limit } = readPage(page);
      return pageOf(operations, from, limit);
    },
    GetDurableExecution: ({ DurableExecutionArn, IncludeExecutionData }) =>
      describeExecution(executions().find(DurableExecutionArn), IncludeExecutionData !== 'false'),
    GetDurableExecutionHistory: ({ DurableExecutionArn, IncludeExecutionData, ReverseOrder, ...page }) => {
      const { arn } = executions().find(DurableExecutionArn);
      const part = readPage(page);
      const found = executions().store.events(arn, { ...part, limit: part.limit + 1 }, ReverseOrder === 'true');
      const shown = IncludeExecutionData === 'false' ? found.map(withoutData) : found;
      const events = fitPage(shown, part.limit);
      return { Events: events.map(withDates), NextMarker: nextMarker(part, events, found) };
    },
    ListDurableExecutionsByFunction: (input) => listExecutions(input, parts()),
    StopDurableExecution: ({ DurableExecutionArn, ...members }) => {
      // The body of the request is the error alone.
      const { endedAt = 0 } = executions().end(DurableExecutionArn, { status: 'STOPPED', error: readError(members) });
      return { StopTimestamp: new Date(endedAt) };
    },
    SendDurableExecutionCallbackSuccess: ({ CallbackId, Result }) => {
      const result = Buffer.isBuffer(Result) ? Result.toString() : String(Result ?? '');
      checkSize('Result', result);
      const completion = { status: 'SUCCEEDED', result: result === '' ? undefined : result } as const;
      executions().ofCallback(String(CallbackId)).completeCallback(String(CallbackId), completion);
    },
    SendDurableExecutionCallbackFailure: ({ CallbackId, ...members }) => {
      const completion = { status: 'FAILED', error: readError(members) } as const;
      executions().ofCallback(String(CallbackId)).completeCallback(String(CallbackId), completion);
    },
    SendDurableExecutionCallbackHeartbeat: ({ CallbackId }) => {
      executions().ofCallback(String(CallbackId)).heartbeat(String(CallbackId));
    },
  };
}

function listExecutions(input: Input, parts: LambdaParts): unknown {
  const {
    FunctionName,
    Qualifier,
    DurableExecutionName,
    Statuses = [],
    StartedAfter,
    StartedBefore,
    ReverseOrder,
    ...page
  } = input;
  const { found, qualifier } = findFunction({ FunctionName, Qualifier }, parts);
  const known = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED'];
  for (const status of Statuses as string[]) {
    if (!known.includes(status)) {
      throw validationError(status, 'statuses', `Member must satisfy enum value set: [${known.join(', ')}]`);
    }
  }
  const part = readPage(page);
  const { store } = parts.durableExecutions;
  store.removeExpired(parts.now());
  const executions = store.list({
    ...{ functionName: found.name, statuses: Statuses as string[], isOldestFirst: ReverseOrder === 'true' },
    version: qualifier === undefined ? undefined : found.version(qualifier).configuration.version,
    name: DurableExecutionName === undefined ? undefined : String(DurableExecutionName),
    startedAfter: readTime('startedAfter', StartedAfter),
    startedBefore: readTime('startedBefore', StartedBefore),
    from: part.from,
    limit: part.limit + 1,
  });
  const listed = executions.slice(0, part.limit);
  return { DurableExecutions: listed.map(summaryOf), NextMarker: nextMarker(part, listed, executions) };
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_Execution.html */
function summaryOf({ arn, name, functionArn, status, startedAt, endedAt, config }: Execution): Record<string, unknown> {
  return {
    DurableExecutionArn: arn,
    DurableExecutionName: name,
    FunctionArn: functionArn,
    Status: status,
    StartTimestamp: new Date(startedAt),
    ...(endedAt !== undefined && { EndTimestamp: new Date(endedAt) }),
    KMSKeyArn: config.kmsKeyArn,
  };
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_GetDurableExecution.html */
function describeExecution(execution: Execution, includesData: boolean): Record<string, unknown> {
  const { KMSKeyArn: _inConfig, ...summary } = summaryOf(execution);
  const { input, result, error, version, traceHeader, config } = execution;
  return {
    ...summary,
    Version: version,
    ...(includesData && { InputPayload: input, Result: result, Error: error }),
    ...(traceHeader !== undefined && { TraceHeader: { XAmznTraceId: traceHeader } }),
    ExecutionDataIncluded: includesData,
    DurableConfig: describeDurableConfig(config),
  };
}

/** @throws AwsError InvalidParameterValueException, ValidationException */
function readPage({ Marker = '0', MaxItems }: Input): { from: number; limit: number } {
  checkRange('MaxItems', MaxItems, 0, durableLimits.pageSize.maximum);
  if (!/^\d+$/.test(String(Marker))) throw invalidParameter('Marker is not valid');
  return { from: Number(Marker), limit: Number(MaxItems) || durableLimits.pageSize.default };
}

/** @param found what there was, when one more was asked for than the page may have */
function nextMarker(
  { from }: { from: number },
  page: readonly unknown[],
  found: readonly unknown[],
): string | undefined {
  return found.length > page.length ? String(from + page.length) : undefined;
}

function readError({ ErrorMessage, ErrorType, ErrorData, StackTrace }: Input): ErrorObject {
  const members = Object.entries({ ErrorMessage, ErrorType, ErrorData, StackTrace });
  const error = Object.fromEntries(members.filter(([, value]) => value !== undefined)) as ErrorObject;
  checkSize('Error', JSON.stringify(error));
  return error;
}

function checkSize(what: string, text: string): void {
  const limit = durableLimits.operationPayloadBytes;
  if (Buffer.byteLength(text) > limit)
    throw invalidParameter(`${what} size must be less than or equal to ${limit} bytes.`);
}

function readTime(member: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const time = Date.parse(String(value));
  if (Number.isNaN(time)) throw validationError(value, member, 'Member must be a timestamp');
  return time;
}
