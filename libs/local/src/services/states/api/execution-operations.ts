import type { MachineType } from '@millrace/states-language';
import type { Input } from '../../../core/access.ts';
import { AwsError } from '../../../core/aws-error.ts';
import type { Operations } from '../../../core/service.ts';
import { checkExecutionArn, checkName } from '../arns.ts';
import type { ExecutionState, HistoryEvent } from '../engine/execution-state.ts';
import type { Executions } from '../execution/executions.ts';
import type { StatesStore } from '../execution/store.ts';
import type { StateMachines } from '../machines/state-machines.ts';
import { redriveReason } from '../status-events.ts';
import { given, parseData, seconds, textOf } from './input.ts';
import { nextPage, pageOf, pageRequest } from './pages.ts';

/** An execution can be redriven for so long after its end. */
const REDRIVABLE_MS = 14 * 86_400_000;

/** Operations on executions. */
export function executionOperations(
  machines: StateMachines,
  executions: Executions,
  store: StatesStore,
  now: () => number,
): Operations {
  const start = (input: Input, type?: MachineType): ExecutionState => {
    const data = parseData(textOf(input, 'input') ?? '{}', 'InvalidExecutionInput', 'Input');
    const runnable = machines.runnable(String(input.stateMachineArn));
    if (type !== undefined && runnable.machine.type !== type) {
      throw new AwsError(
        'StateMachineTypeNotSupported',
        'This operation is not supported by this type of state machine',
      );
    }
    const name = textOf(input, 'name');
    return executions.start({ runnable, name: name === undefined ? undefined : checkName(name), input: data });
  };
  return {
    StartExecution: (input) => {
      const { arn, startedAt } = start(input);
      return { executionArn: arn, startDate: seconds(startedAt) };
    },
    StartSyncExecution: async (input) => {
      const { arn } = start(input, 'EXPRESS');
      return describeSync(await executions.waitForEnd(arn));
    },
    StopExecution: async (input) => {
      const state = await executions.stop(standard(input.executionArn), textOf(input, 'error'), textOf(input, 'cause'));
      return { stopDate: seconds(state.stoppedAt ?? now()) };
    },
    RedriveExecution: async (input) => {
      const arn = standard(input.executionArn);
      const { state } = executions.required(arn);
      const reason = redriveReason(state.status) ?? expiryReason(state, now());
      if (reason !== null) throw new AwsError('ExecutionNotRedrivable', `Execution Not Redrivable: '${reason}'`);
      const { redrivenAt } = await executions.redrive(arn);
      return { redriveDate: seconds(redrivenAt ?? now()) };
    },
    DescribeExecution: ({ executionArn }) => {
      const { state, qualifiedArn } = executions.required(standard(executionArn));
      return describeExecution(state, qualifiedArn, now());
    },
    ListExecutions: (input) => {
      if (input.mapRunArn !== undefined)
        throw new AwsError('ResourceNotFound', `Resource not found: '${String(input.mapRunArn)}'`);
      const machine = machines.required(String(input.stateMachineArn));
      if (machine.type === 'EXPRESS')
        throw new AwsError(
          'StateMachineTypeNotSupported',
          'This operation is not supported by this type of state machine',
        );
      const { redriveFilter } = input;
      const all = store.list(machine.arn, textOf(input, 'statusFilter'));
      const wanted = all.filter(
        ({ redriveCount }) => redriveFilter === undefined || redriveCount > 0 === (redriveFilter === 'REDRIVEN'),
      );
      const { page, ...next } = pageOf(wanted, input);
      return { executions: page.map(listed), ...next };
    },
    GetExecutionHistory: (input) => {
      const arn = standard(input.executionArn);
      executions.required(arn);
      const { from, size } = pageRequest(input);
      const events = store.events(arn, { from, limit: size + 1, isReverse: input.reverseOrder === true });
      const hasData = input.includeExecutionData !== false;
      return {
        events: events.slice(0, size).map((event) => describeEvent(event, hasData)),
        ...(events.length > size ? nextPage(from + size) : {}),
      };
    },
  };
}

/** Operations on tasks that wait for an answer. */
export function taskOperations(executions: Executions): Operations {
  return {
    SendTaskSuccess: async ({ taskToken, output }) => {
      await executions.answerTask(String(taskToken), { output: parseData(String(output), 'InvalidOutput', 'Output') });
      return {};
    },
    SendTaskFailure: async (input) => {
      await executions.answerTask(String(input.taskToken), {
        error: textOf(input, 'error'),
        cause: textOf(input, 'cause'),
      });
      return {};
    },
    SendTaskHeartbeat: async ({ taskToken }) => {
      await executions.heartbeat(String(taskToken));
      return {};
    },
  };
}

/** @throws AwsError for what is not the ARN of a Standard execution */
function standard(executionArn: unknown): string {
  const arn = checkExecutionArn(String(executionArn));
  if (arn.split(':')[5] === 'express') {
    throw new AwsError('InvalidArn', `Invalid Arn: 'Resource type not valid in this context: express'`);
  }
  return arn;
}

function expiryReason({ stoppedAt }: ExecutionState, now: number): string | null {
  const isExpired = stoppedAt !== null && now - stoppedAt > REDRIVABLE_MS;
  return isExpired ? 'The execution cannot be redriven because its redrivable period has exceeded' : null;
}

/** What DescribeExecution answers. */
export function describeExecution(
  state: ExecutionState,
  qualifiedArn: string | undefined,
  now: number,
): Record<string, unknown> {
  const reason = redriveReason(state.status) ?? expiryReason(state, now);
  const isVersion = qualifiedArn !== undefined && /:\d+$/.test(qualifiedArn);
  return given({
    ...{ executionArn: state.arn, stateMachineArn: state.machineArn, name: state.name, status: state.status },
    ...datesOf(state),
    ...dataOf(state),
    ...{ error: state.error, cause: state.cause, redriveCount: state.redriveCount },
    redriveDate: state.redrivenAt === null ? undefined : seconds(state.redrivenAt),
    redriveStatus: reason === null ? 'REDRIVABLE' : 'NOT_REDRIVABLE',
    redriveStatusReason: reason,
    stateMachineVersionArn: isVersion ? qualifiedArn : undefined,
    stateMachineAliasArn: isVersion ? undefined : qualifiedArn,
  });
}

function describeSync(state: ExecutionState): object {
  const milliseconds = (state.stoppedAt ?? state.startedAt) - state.startedAt;
  return given({
    ...{ executionArn: state.arn, stateMachineArn: state.machineArn, name: state.name, status: state.status },
    ...datesOf(state),
    ...dataOf(state),
    ...{ error: state.error, cause: state.cause },
    // Billed by 100 ms and 64 MB.
    billingDetails: {
      billedDurationInMilliseconds: Math.max(100, Math.ceil(milliseconds / 100) * 100),
      billedMemoryUsedInMB: 64,
    },
  });
}

function datesOf({ startedAt, stoppedAt }: Pick<ExecutionState, 'startedAt' | 'stoppedAt'>): object {
  return { startDate: seconds(startedAt), stopDate: stoppedAt === null ? undefined : seconds(stoppedAt) };
}

function dataOf({ input, output }: ExecutionState): object {
  const included = { included: true };
  if (output === undefined) return { input: JSON.stringify(input), inputDetails: included };
  return {
    input: JSON.stringify(input),
    inputDetails: included,
    output: JSON.stringify(output),
    outputDetails: included,
  };
}

function listed(state: Omit<ExecutionState, 'threads'>): object {
  return given({
    ...{ executionArn: state.arn, stateMachineArn: state.machineArn, name: state.name, status: state.status },
    ...datesOf(state),
    redriveCount: state.redriveCount,
    redriveDate: state.redrivenAt === null ? undefined : seconds(state.redrivenAt),
  });
}

const dataMembers = new Set(['input', 'output', 'parameters', 'assignedVariables']);

function describeEvent({ timestamp, type, id, previousEventId, details }: HistoryEvent, hasData: boolean): object {
  const event = { timestamp: seconds(timestamp), type, id, previousEventId, ...details };
  if (hasData) return event;
  const [[name, members] = ['', {}]] = Object.entries(details);
  if (name === '') return event;
  const kept = Object.entries(members as object).filter(([member]) => !dataMembers.has(member));
  return { ...event, [name]: Object.fromEntries(kept) };
}
