import { checkSupported } from '@millrace/states-language';
import { type AwsService, apiOf, type Host, type RunningService } from '../../core/service.ts';
import { statesAccess } from './access.ts';
import { Activities } from './activities/activities.ts';
import { activityOperations } from './api/activity-operations.ts';
import { aliasOperations } from './api/alias-operations.ts';
import { executionOperations, taskOperations } from './api/execution-operations.ts';
import { checkStatesInput, parseData, textOf } from './api/input.ts';
import { machineOperations, tagOperations } from './api/machine-operations.ts';
import { versionOperations } from './api/version-operations.ts';
import { parseMachineArn, standardExecutionArn } from './arns.ts';
import { Executions } from './execution/executions.ts';
import { StatesStore } from './execution/store.ts';
import { Integrations } from './integrations/integrations.ts';
import type { InvokeFunction } from './integrations/lambda.ts';
import { functionsOf } from './integrations/local-functions.ts';
import { StateMachines } from './machines/state-machines.ts';
import { metricsOf, STATES_METRICS } from './metrics.ts';
import { type DeclaringStates, statesResourceTypes } from './resource-types.ts';
import { announceStatus } from './status-events.ts';
import { testState } from './test-state/test-state.ts';
import { transitionsOf } from './transitions.ts';

/** Services that tasks may call through the cloud. */
const callable = new Set([
  'sqs',
  'sns',
  'events',
  'dynamodb',
  'states',
  'lambda',
  'ssm',
  'scheduler',
  'ses',
  'logs',
  'monitoring',
  'sts',
]);

/** Step Functions. https://docs.aws.amazon.com/step-functions/latest/dg/welcome.html */
export const states: AwsService<DeclaringStates> = {
  name: 'states',
  protocols: ['json'],
  targets: ['AWSStepFunctions'],
  resourceTypes: statesResourceTypes,
  access: statesAccess,
  deliveryAction: 'states:StartExecution',
  metrics: { 'AWS/States': STATES_METRICS },
  meters: {
    'states.executions': 'executions that were started [state machine]',
    'states.transitions': 'state transitions of Standard workflows [state machine]',
  },
  start: startStates,
};

/** Starts Step Functions. */
export async function startStates(
  host: Host,
  { invoke = functionsOf(host) }: { invoke?: InvokeFunction } = {},
): Promise<RunningService<DeclaringStates>> {
  const { accountId, region, clock, warn } = host;
  const store = new StatesStore(host.dataDirectory);
  const check: Parameters<typeof machineOperations>[2] = (state, location) =>
    checkSupported(state, location, (service) => callable.has(service));
  const machines = new StateMachines(store, { accountId, region, clock, check, random: Math.random });
  const activities = new Activities(store, host, clock);
  const tasks = new Integrations({
    activities,
    call: host.call,
    invoke,
    waitForExecution: (arn) => executions.waitForEnd(arn),
    findExecution: (arn, name) => {
      const found = executions.find(standardExecutionArn(host, parseMachineArn(arn).name, name))?.state;
      return found && { executionArn: found.arn, startDate: found.startedAt / 1000 };
    },
  });
  const executions: Executions = new Executions(store, {
    ...{ accountId, region, clock, tasks, warn },
    compile: (definition, type) => machines.compile(definition, type),
    onStatus: (state) => {
      for (const report of metricsOf(state)) {
        host.metric(report);
        if (report.name === 'ExecutionsStarted') host.usage?.add('states.executions', state.machineName, 1);
      }
    },
    onEvents: ({ machineName }, events) => host.usage?.add('states.transitions', machineName, transitionsOf(events)),
    announce: (execution) => announceStatus(execution, host.deliver, clock.now()),
  });
  const declared = new Set<string>();
  const api = apiOf('Step Functions', {
    ...machineOperations(machines, executions, check),
    ...tagOperations(machines, activities),
    ...versionOperations(machines),
    ...aliasOperations(machines, clock),
    ...executionOperations(machines, executions, store, () => clock.now()),
    ...taskOperations(executions),
    ...activityOperations(activities),
    TestState: (input) => testState(input, { accountId, region, clock, tasks }),
  });
  return {
    handle: { machines, activities, declared: (arn) => declared.add(arn) },
    api: (call) => {
      const { operation, input, request } = call;
      checkStatesInput(operation, input);
      if (operation !== 'GetActivityTask') return api(call);
      return activities.poll(String(input.activityArn), textOf(input, 'workerName'), request.signal);
    },
    deliver: async (arn, payload) => {
      executions.start({
        runnable: machines.runnable(arn),
        name: undefined,
        input: parseData(payload, 'InvalidExecutionInput', 'Input'),
      });
    },
    isThere: (arn) => machines.find(arn) !== undefined,
    activate: () => {
      for (const machine of machines.list())
        if (machine.isDeclared && !declared.has(machine.arn)) machines.delete(machine);
      executions.resume();
    },
    deactivate: () => {
      activities.close();
      return executions.close();
    },
    console: () => ({
      stateMachines: machines.list().map(({ name, type }) => ({ name, type })),
      running: executions.liveCount,
    }),
    [Symbol.asyncDispose]: async () => {
      activities.close();
      await executions.close();
      store.close();
    },
  };
}
