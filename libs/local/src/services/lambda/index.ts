import { DeliveryError } from '../../core/delivery.ts';
import { HttpAnswer } from '../../core/http-message.ts';
import type { AwsService, Host, RunningService } from '../../core/service.ts';
import { dynamodb } from '../dynamodb/index.ts';
import { lambdaAccess } from './access.ts';
import { handleLambdaRequest } from './api.ts';
import { openCheckpoints } from './checkpoint-store.ts';
import { FUNCTION_METRICS } from './function-metrics.ts';
import type { InvocationResult } from './function-pool.ts';
import { Functions } from './functions.ts';
import { lambdaResourceTypes } from './resource-types.ts';

/** What other services may use of Lambda. */
export interface LocalLambda {
  functionNames: () => readonly string[];
  /**
   * Calls a function and waits for its answer.
   * @throws Error when there is no such function
   */
  invoke: (functionArn: string, payload: string) => Promise<{ name: string; result: InvocationResult }>;
  /** Starts a container of every function. */
  warm: () => Promise<void>;
}

/** Lambda: functions in worker threads, and what feeds them. */
export const lambda: AwsService<LocalLambda> = {
  name: 'lambda',
  protocols: ['rest'],
  unsignedPath: /^\/\d{4}-\d\d-\d\d\/(functions|event-source-mappings)/,
  resourceTypes: lambdaResourceTypes,
  access: lambdaAccess,
  refusal: { code: 'AccessDeniedException', status: 403 },
  metrics: { 'AWS/Lambda': FUNCTION_METRICS },
  meters: {
    'lambda.invocations': 'invocations [function]',
    'lambda.milliseconds': 'duration, rounded up [function]',
    'lambda.gigabyteSeconds': 'memory by duration [function]',
    'logs.bytes': 'bytes of log lines [function]',
    'cloudwatch.metrics': 'metrics in log lines [namespace, name and dimensions]',
  },
  start,
};

async function start(host: Host): Promise<RunningService<LocalLambda>> {
  await using started = new AsyncDisposableStack();
  const opened = host.dataDirectory === undefined ? undefined : openCheckpoints(host.dataDirectory);
  if (opened) started.defer(opened.close);
  let functions: Functions | undefined;
  const running = (): Functions => {
    if (!functions) throw new Error('Functions have not started yet');
    return functions;
  };
  const onAsyncFailure = (functionName: string): void =>
    host.warn(`${functionName} failed on an asynchronous event; AWS would try twice more, this machine does not`);
  host.handleOf(dynamodb).onWrite(() => functions?.wakeStreams());
  const owned = started.move();
  return {
    handle: {
      functionNames: () => [...running().pools.keys()],
      invoke: async (functionArn, payload) => {
        const pool = running().find(functionArn);
        if (!pool) throw new Error(`There is no function ${functionArn}`);
        return { name: pool.definition.name, result: await running().invoke(pool, payload) };
      },
      warm: () => running().warm(),
    },
    api: async ({ request }) => {
      const { method, url, headers, body } = request;
      const { pools, mappings } = running();
      const read = { method, path: url.pathname, query: url.searchParams, headers, body: body.toString() };
      try {
        const answer = await handleLambdaRequest(read, { functions: pools, mappings, onAsyncFailure });
        return new HttpAnswer(answer.status, answer.headers, answer.body);
      } finally {
        running().wakeStreams();
      }
    },
    deliver: async (functionArn, payload) => {
      const pool = running().find(functionArn);
      if (!pool) throw new DeliveryError('NO_RESOURCE', `There is no function ${functionArn}`, false);
      const failed = (): void => onAsyncFailure(pool.definition.name);
      // As with Lambda's asynchronous invocation, the event counts as delivered once it has been accepted.
      running()
        .invoke(pool, payload)
        .then(({ functionError }) => functionError && failed(), failed);
    },
    activate: (stacks) => {
      functions = new Functions({ stacks, host, ...(opened && { checkpoints: opened.checkpoints }) });
    },
    [Symbol.asyncDispose]: async () => {
      await functions?.stop();
      await owned.disposeAsync();
    },
  };
}
