/** An execution of a state machine, or of a durable function, that has failed. */
export interface FailedExecution {
  executionArn: string;
  /** The name of the state machine or function. */
  process: string;
  kind: 'state machine' | 'durable function';
  name: string;
  /** `FAILED`, `TIMED_OUT` or `ABORTED`; of a durable function `STOPPED` */
  status: string;
}

const STATE_MACHINE = /^arn:[\w-]+:states:[\w-]+:\d{12}:execution:([\w-]+):([\w-]+)$/;
const DURABLE_FUNCTION =
  /^arn:[\w-]+:lambda:[\w-]+:\d{12}:function:([\w-]+):[\w$-]+\/durable-execution\/([\w-]+)\/[\w-]+$/;

/**
 * The execution that a letter is about; undefined for any other body. It names the execution and not its data, or is the
 * event of Step Functions or Lambda itself, which a rule could not deliver.
 * @example failedExecutionOf({ executionArn: 'arn:…:execution:checkout:1', status: 'FAILED' })?.name // '1'
 * https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 * https://docs.aws.amazon.com/lambda/latest/dg/durable-monitoring.html
 */
export function failedExecutionOf(body: unknown): FailedExecution | undefined {
  const { detail, ...letter } = (body ?? {}) as Record<string, unknown>;
  const given = 'executionArn' in letter ? letter : ((detail ?? {}) as Record<string, unknown>);
  const { status, executionArn = given.durableExecutionArn } = given;
  const kind = DURABLE_FUNCTION.test(String(executionArn)) ? 'durable function' : 'state machine';
  const pattern = kind === 'durable function' ? DURABLE_FUNCTION : STATE_MACHINE;
  const [, process, name] = pattern.exec(String(executionArn)) ?? [];
  if (process === undefined || name === undefined) return undefined;
  return { executionArn: String(executionArn), process, kind, name, status: String(status) };
}
