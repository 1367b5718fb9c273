/** An execution of a state machine that has failed. */
export interface FailedExecution {
  executionArn: string;
  stateMachine: string;
  name: string;
  /** `FAILED`, `TIMED_OUT` or `ABORTED` */
  status: string;
}

/**
 * The execution that a letter is about; undefined for any other body. It names the execution and not its data, or is the
 * event of Step Functions itself, which a rule could not deliver.
 * @example failedExecutionOf({ executionArn: 'arn:…:execution:checkout:1', status: 'FAILED' })?.name // '1'
 * https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 */
export function failedExecutionOf(body: unknown): FailedExecution | undefined {
  const { detail, ...letter } = (body ?? {}) as Record<string, unknown>;
  const { executionArn, status } = 'executionArn' in letter ? letter : ((detail ?? {}) as Record<string, unknown>);
  const [, stateMachine, name] =
    /^arn:[\w-]+:states:[\w-]+:\d{12}:execution:([\w-]+):([\w-]+)$/.exec(String(executionArn)) ?? [];
  if (stateMachine === undefined || name === undefined) return undefined;
  return { executionArn: String(executionArn), stateMachine, name, status: String(status) };
}
