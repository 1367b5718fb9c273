import { AwsError } from '../../core/aws-error.ts';
import { DeliveryError } from '../../core/delivery.ts';
import type { AwsService, Host, RunningService } from '../../core/service.ts';
import { lambdaAccess } from './access.ts';
import { lambdaApi } from './api.ts';
import { openCheckpoints } from './checkpoint-store.ts';
import { lambdaDifferences } from './differences.ts';
import { DurableStore } from './durable/durable-store.ts';
import { FUNCTION_METRICS } from './function-metrics.ts';
import type { InvocationResult, InvokeOptions } from './function-pool.ts';
import { LambdaRuntime } from './lambda-runtime.ts';
import { LambdaStore } from './lambda-store.ts';
import { lambdaResourceTypes } from './resource-types.ts';
import { lambdaRoutes } from './routes.ts';

/** What other services may use of Lambda. */
export interface LocalLambda {
  functionNames: () => readonly string[];
  /** True if there is a function, and its version or alias. */
  isThere: (functionArn: string) => boolean;
  /**
   * Calls a function and waits for its answer.
   * @throws Error when there is no such function
   */
  invoke: (
    functionArn: string,
    payload: string,
    options?: Pick<InvokeOptions, 'traceHeader' | 'signal'>,
  ) => Promise<{ name: string; result: InvocationResult }>;
  /** Starts a container of every function. */
  warm: () => Promise<void>;
}

/** Lambda: functions in worker threads, and what feeds them. */
export const lambda: AwsService<LocalLambda> = {
  name: 'lambda',
  differences: lambdaDifferences,
  protocols: ['rest'],
  routes: lambdaRoutes,
  takesUnsigned: ({ url }) =>
    /^\/\d{4}-\d\d-\d\d\/(functions|event-source-mappings|durable-execution)/.test(url.pathname),
  resourceTypes: lambdaResourceTypes,
  access: lambdaAccess,
  refusal: { code: 'AccessDeniedException', status: 403 },
  metrics: { 'AWS/Lambda': FUNCTION_METRICS },
  meters: {
    'lambda.invocations': 'invocations [function]',
    'lambda.milliseconds': 'duration, rounded up [function]',
    'lambda.gigabyteSeconds': 'memory by duration [function]',
    'lambda.durableOperations': 'executions and their operations, once they have ended [durable function]',
    'lambda.durableBytes': 'bytes written by executions, once they have ended [durable function]',
    'logs.bytes': 'bytes of log lines [function]',
    'cloudwatch.metrics': 'metrics in log lines [namespace, name and dimensions]',
  },
  start,
};

async function start(host: Host): Promise<RunningService<LocalLambda>> {
  await using started = new AsyncDisposableStack();
  const opened = host.dataDirectory === undefined ? undefined : openCheckpoints(host.dataDirectory);
  if (opened) started.defer(opened.close);
  const store = new LambdaStore(host.dataDirectory);
  started.defer(() => store.close());
  const durableStore = new DurableStore(host.dataDirectory);
  started.defer(() => durableStore.close());
  let active: LambdaRuntime | undefined;
  const running = (): LambdaRuntime => {
    if (!active) throw new Error('Functions have not started yet');
    return active;
  };
  const api = lambdaApi(running);
  const owned = started.move();
  return {
    handle: {
      functionNames: () => [...running().functions.byName.keys()],
      isThere: (functionArn) => running().functions.find(functionArn) !== undefined,
      invoke: async (functionArn, payload, options) => {
        const named = running().functions.find(functionArn);
        if (!named) throw new Error(`There is no function ${functionArn}`);
        const { found, qualifier } = named;
        return { name: found.name, result: await found.invoke(payload, { ...options, qualifier }) };
      },
      warm: () => running().functions.warm(),
    },
    api,
    isThere: (functionArn) => running().functions.find(functionArn) !== undefined,
    deliver: async (functionArn, payload, { sender, traceHeader }) => {
      const named = running().functions.find(functionArn);
      if (!named) throw new DeliveryError('NO_RESOURCE', `There is no function ${functionArn}`, false);
      // Whoever has no role would need a permission of the function, and these have no effect here.
      if ('functionName' in sender || sender.roleArn !== undefined) {
        const access = { action: 'lambda:InvokeFunction', resource: functionArn };
        const refusal = host.authorizer.findSenderRefusal(sender, access);
        if (refusal) throw new DeliveryError('NO_PERMISSIONS', refusal.message, false);
      }
      const { found, qualifier } = named;
      try {
        running().acceptEvent(found, { qualifier, payload, traceHeader });
      } catch (error) {
        // Of a durable function, e.g. its name without a version.
        if (!(error instanceof AwsError) || error.status === 429 || error.status >= 500) throw error;
        throw new DeliveryError('SDK_CLIENT_ERROR', error.message, false);
      }
    },
    activate: (stacks) => {
      active = new LambdaRuntime(stacks, host, { store, durableStore, checkpoints: opened?.checkpoints });
      active.start(stacks);
    },
    console: () => ({
      functions: [...running().functions.byName.keys()],
      asynchronousEvents: store.eventCounts(),
      durableExecutions: durableStore.counts(),
    }),
    [Symbol.asyncDispose]: async () => {
      await active?.stop();
      await owned.disposeAsync();
    },
  };
}
