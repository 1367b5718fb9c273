import { durableLimits } from '@millrace/events/aws-limits';
import { invalidParameter, validationError } from '../lambda-errors.ts';
import type { Operation, OperationType } from './execution-state.ts';
import type { OperationUpdate } from './operation-updates.ts';

/** What may be done to an operation: in these states, or if it is new (`undefined`). */
type Rules = Partial<Record<OperationUpdate['Action'], readonly (Operation['Status'] | undefined)[]>>;

const STARTABLE: Rules = { START: [undefined], CANCEL: ['STARTED'] };

/** As AWS's SDKs expect it of the service. */
const RULES: Readonly<Record<OperationType, Rules>> = {
  CONTEXT: { START: [undefined], SUCCEED: [undefined, 'STARTED'], FAIL: [undefined, 'STARTED'] },
  STEP: {
    START: [undefined, 'READY'],
    SUCCEED: [undefined, 'STARTED', 'READY'],
    FAIL: [undefined, 'STARTED', 'READY'],
    RETRY: [undefined, 'STARTED', 'READY'],
  },
  WAIT: STARTABLE,
  CALLBACK: STARTABLE,
  CHAINED_INVOKE: STARTABLE,
  EXECUTION: { SUCCEED: ['STARTED'], FAIL: ['STARTED'] },
};

/**
 * Checks the members of each update, and what they are to each other.
 * https://docs.aws.amazon.com/lambda/latest/api/API_OperationUpdate.html
 *
 * @param payloadBytes of what the whole execution returns
 * @throws AwsError InvalidParameterValueException, ValidationException
 */
export function checkUpdates(updates: readonly OperationUpdate[], payloadBytes: number): void {
  const seen = new Map<string, OperationUpdate>();
  for (const [index, update] of updates.entries()) {
    checkMembers(update, index);
    checkSizes(update, update.Type === 'EXECUTION' ? payloadBytes : durableLimits.operationPayloadBytes);
    const earlier = seen.get(update.Id);
    if (earlier && !mayFollow(earlier, update)) {
      throw invalidParameter('Cannot update the same operation twice in a single request.');
    }
    seen.set(update.Id, update);
  }
  const executions = updates.filter(({ Type }) => Type === 'EXECUTION');
  if (executions.length > 1) throw invalidParameter('Cannot checkpoint multiple EXECUTION updates.');
  if (executions.length === 1 && updates.at(-1)?.Type !== 'EXECUTION') {
    throw invalidParameter('EXECUTION checkpoint must be the last update.');
  }
}

/** A step or a context may start and end in one checkpoint. */
function mayFollow(earlier: OperationUpdate, update: OperationUpdate): boolean {
  return ['STEP', 'CONTEXT'].includes(earlier.Type) && earlier.Action === 'START' && update.Action !== 'START';
}

/**
 * Checks that an update may be applied to what is there.
 * @param parent the operation of `ParentId`
 * @throws AwsError InvalidParameterValueException
 */
export function checkTransition(
  update: OperationUpdate,
  current: Operation | undefined,
  parent: Operation | undefined,
): void {
  const { Type, Action, ParentId } = update;
  if (ParentId !== undefined && parent?.Type !== 'CONTEXT') throw invalidParameter('Invalid parent operation id.');
  const allowed = RULES[Type][Action];
  if (!allowed) throw invalidParameter('Invalid action for the given operation type.');
  if (current && current.Type !== Type) {
    throw invalidParameter(`The operation ${update.Id} is a ${current.Type}, not a ${Type}.`);
  }
  if (!allowed.includes(current?.Status)) throw invalidParameter(refusalOf(update, current));
  if (Action === 'RETRY' && update.StepOptions === undefined) {
    throw invalidParameter('Invalid StepOptions for the given action.');
  }
  if (Action === 'RETRY' && update.Error !== undefined && update.Payload !== undefined) {
    throw invalidParameter('Cannot provide both error and payload to RETRY a STEP.');
  }
  if (Action === 'FAIL' && update.Payload !== undefined)
    throw invalidParameter('Cannot provide a Payload for FAIL action.');
  if (Action === 'SUCCEED' && update.Error !== undefined) {
    throw invalidParameter('Cannot provide an Error for SUCCEED action.');
  }
  if (Type === 'CHAINED_INVOKE' && Action === 'START' && !update.ChainedInvokeOptions?.FunctionName) {
    throw invalidParameter('ChainedInvokeOptions with a FunctionName are required.');
  }
}

function refusalOf({ Type, Action }: OperationUpdate, current: Operation | undefined): string {
  if (Action === 'CANCEL') return `Cannot cancel a ${Type} that does not exist or has already completed.`;
  if (Type === 'STEP') {
    const what = Action === 'RETRY' ? 're-attempt' : Action === 'START' ? 'start' : 'close';
    return `Invalid current STEP state to ${what}.`;
  }
  return current && Action === 'START'
    ? `Cannot start a ${Type} that already exists.`
    : `Invalid current ${Type} state to close.`;
}

/** The service's model refuses these before the operation is looked at. */
function checkMembers(update: OperationUpdate, index: number): void {
  const place = (member: string): string => `updates.${index + 1}.member.${member}`;
  const check = (isRight: boolean, member: string, value: unknown, constraint: string): void => {
    if (!isRight) throw validationError(value, place(member), `Member must ${constraint}`);
  };
  const matches = (member: string, value: unknown, pattern: RegExp, isRequired = false): void => {
    if (value === undefined && !isRequired) return;
    check(
      typeof value === 'string' && pattern.test(value),
      member,
      value,
      `satisfy regular expression pattern: ${pattern.source}`,
    );
  };
  const within = (member: string, value: unknown, minimum: number): void => {
    if (value === undefined) return;
    const isRight = Number.isInteger(value) && Number(value) >= minimum && Number(value) <= durableLimits.seconds;
    check(isRight, member, value, `have value from ${minimum} to ${durableLimits.seconds}`);
  };
  check(typeof update === 'object' && update !== null, 'update', update, 'be a structure');
  matches('id', update.Id, /^[a-zA-Z0-9-_]{1,64}$/, true);
  matches('parentId', update.ParentId, /^[a-zA-Z0-9-_]{1,64}$/);
  matches('name', update.Name, /^[\x20-\x7E]{1,256}$/);
  matches('subType', update.SubType, /^[a-zA-Z-_]{1,32}$/);
  const types = Object.keys(RULES);
  check(types.includes(update.Type), 'type', update.Type, `satisfy enum value set: [${types.join(', ')}]`);
  const actions = ['START', 'SUCCEED', 'FAIL', 'RETRY', 'CANCEL'];
  check(actions.includes(update.Action), 'action', update.Action, `satisfy enum value set: [${actions.join(', ')}]`);
  within('waitOptions.waitSeconds', update.WaitOptions?.WaitSeconds, 1);
  within('stepOptions.nextAttemptDelaySeconds', update.StepOptions?.NextAttemptDelaySeconds, 1);
  within('callbackOptions.timeoutSeconds', update.CallbackOptions?.TimeoutSeconds, 0);
  within('callbackOptions.heartbeatTimeoutSeconds', update.CallbackOptions?.HeartbeatTimeoutSeconds, 0);
}

function checkSizes({ Type, Action, Payload, Error: error }: OperationUpdate, payloadBytes: number): void {
  if (Payload !== undefined && Buffer.byteLength(Payload) > payloadBytes) {
    const what = Action === 'START' ? 'input' : 'output';
    throw invalidParameter(`${Type} ${what} payload size must be less than or equal to ${payloadBytes} bytes.`);
  }
  if (error !== undefined && Buffer.byteLength(JSON.stringify(error)) > durableLimits.operationPayloadBytes) {
    throw invalidParameter(`Error object size must be less than ${durableLimits.operationPayloadBytes} bytes.`);
  }
}
