import { randomUUID } from 'node:crypto';
import { backoffBound } from '@millrace/retry';
import { AwsError } from '../../../core/aws-error.ts';
import type { Host } from '../../../core/service.ts';
import { parseFunctionIdentifier } from '../function-identifier.ts';
import type { Functions } from '../functions.ts';
import type { LocalFunction } from '../local-function.ts';
import { executionArn } from './arns.ts';
import type { ChainedInvocation, Execution } from './execution-state.ts';
import { errorOfPayload } from './invocation-outcome.ts';
import type { Completion } from './operation-completions.ts';

export interface ChainedInvocationsOptions {
  functions: Functions;
  host: Host;
  /** The executions of this cloud. */
  executions: {
    lookUp: (arn: string) => Execution | undefined;
    start: (found: LocalFunction, request: StartRequest) => unknown;
    completeChained: (parent: NonNullable<Execution['parent']>, completion: Completion) => void;
  };
}

/** What an execution is started with. */
export interface StartRequest {
  qualifier: string | undefined;
  payload: string;
  /** A new one unless given. */
  name?: string | undefined;
  /** The part of its ARN behind the name; a new one unless given. */
  id?: string | undefined;
  traceHeader?: string | undefined;
  isAsynchronous: boolean;
  parent?: Execution['parent'];
}

/** Between attempts to call a function that is throttled. */
const BACKOFF_MS = { firstBound: 1000, longestBound: 60_000 };

/**
 * Calls the functions that durable executions call, with the permissions of their roles.
 * https://docs.aws.amazon.com/lambda/latest/dg/durable-execution-sdk.html
 */
export class ChainedInvocations {
  readonly #options: ChainedInvocationsOptions;
  readonly #stopped = new AbortController();

  constructor(options: ChainedInvocationsOptions) {
    this.#options = options;
  }

  /** Finds the function, and which version of it will run. A call that cannot be made says why. */
  resolve(parent: Execution, functionName: string, payload: string): ChainedInvocation & { version?: string } {
    const { functions, host } = this.#options;
    try {
      const { name, qualifier } = parseFunctionIdentifier(functionName);
      const given = { functionName: name, qualifier, payload };
      const { found } = functions.get(functionName);
      const access = { action: 'lambda:InvokeFunction', resource: found.arnOf(qualifier) };
      const refusal = host.authorizer.findSenderRefusal({ functionName: parent.functionName }, access);
      if (refusal) return { ...given, refusal: { ErrorType: 'AccessDeniedException', ErrorMessage: refusal.message } };
      const { version, durable } = found.route(qualifier);
      if (!durable) return { ...given, version };
      const child = randomUUID();
      return {
        ...given,
        qualifier: qualifier && version,
        version,
        child: { name: child, arn: executionArn(`${found.arn}:${version}`, child, child) },
      };
    } catch (error) {
      return { functionName, qualifier: undefined, payload, refusal: refusalOf(error) };
    }
  }

  /** Calls the function. An execution that an earlier process has started is found again. */
  start(parent: Execution, operationId: string, invocation: ChainedInvocation): void {
    const { executions } = this.#options;
    const reference = { arn: parent.arn, operationId };
    const complete = (completion: Completion): void => executions.completeChained(reference, completion);
    const { refusal, child } = invocation;
    if (refusal) queueMicrotask(() => complete({ status: 'FAILED', error: refusal }));
    else if (child) this.#startDurable(reference, invocation, child, parent.traceHeader, complete);
    else void this.#call(invocation, parent.traceHeader).then((completion) => completion && complete(completion));
  }

  /** Gives up calling functions that are throttled. */
  stop(): void {
    this.#stopped.abort();
  }

  #startDurable(
    parent: { arn: string; operationId: string },
    { functionName, qualifier, payload }: ChainedInvocation,
    { name, arn }: { name: string; arn: string },
    traceHeader: string | undefined,
    complete: (completion: Completion) => void,
  ): void {
    const { functions, executions } = this.#options;
    const existing = executions.lookUp(arn);
    if (existing) {
      const { status, result, error } = existing;
      if (status !== 'RUNNING') queueMicrotask(() => complete({ status, result, error }));
      return;
    }
    try {
      const { found } = functions.get(functionName);
      const id = arn.slice(arn.lastIndexOf('/') + 1);
      executions.start(found, { qualifier, payload, name, id, traceHeader, parent, isAsynchronous: true });
    } catch (error) {
      queueMicrotask(() => complete({ status: 'FAILED', error: refusalOf(error) }));
    }
  }

  /** @returns undefined when the process ends before */
  async #call(
    { functionName, qualifier, payload }: ChainedInvocation,
    traceHeader: string | undefined,
  ): Promise<Completion | undefined> {
    const { functions, host } = this.#options;
    const { signal } = this.#stopped;
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        const { found } = functions.get(functionName);
        const result = await found.invoke(payload, { qualifier, traceHeader });
        if (signal.aborted) return undefined;
        return result.functionError === undefined
          ? { status: 'SUCCEEDED', result: result.payload }
          : { status: 'FAILED', error: errorOfPayload(result.payload) };
      } catch (error) {
        if (!(error instanceof AwsError && error.status === 429)) return { status: 'FAILED', error: refusalOf(error) };
        await host.clock.sleep(backoffBound(failures, BACKOFF_MS), signal).catch(() => {});
      }
    }
    return undefined;
  }
}

function refusalOf(error: unknown): { ErrorType: string; ErrorMessage: string } {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { ErrorType: name, ErrorMessage: message };
}
