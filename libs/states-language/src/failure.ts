/** Names of errors that Step Functions itself reports: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html */
export const errorNames = {
  all: 'States.ALL',
  taskFailed: 'States.TaskFailed',
  timeout: 'States.Timeout',
  heartbeatTimeout: 'States.HeartbeatTimeout',
  runtime: 'States.Runtime',
  dataLimit: 'States.DataLimitExceeded',
  queryEvaluation: 'States.QueryEvaluationError',
  noChoiceMatched: 'States.NoChoiceMatched',
  resultPath: 'States.ResultPathMatchFailure',
  toleratedFailures: 'States.ExceedToleratedFailureThreshold',
} as const;

/** A state that failed: what Retry and Catch are asked about. */
export class StateFailure extends Error {
  /** Undefined only for a Fail state without an error. */
  readonly error: string | undefined;
  readonly reason: string | undefined;
  /** Another name that Retry and Catch may use for it. */
  readonly alias: string | undefined;

  /**
   * @param error e.g. `States.TaskFailed`
   * @param reason what AWS calls the cause
   */
  constructor(error: string | undefined, reason: string | undefined, alias?: string) {
    super(reason ?? error ?? 'The state failed');
    this.name = 'StateFailure';
    this.error = error;
    this.reason = reason;
    this.alias = alias;
  }
}

/** Something of the definition does not fit the data. The state and the event are named in front of its message. */
export class RuntimeFailure extends Error {
  readonly error: string;

  constructor(message: string, error: string = errorNames.runtime) {
    super(message);
    this.name = 'RuntimeFailure';
    this.error = error;
  }
}

/** A JSONata expression that has no usable result: it is an event of its own in the history. */
export class EvaluationFailure extends RuntimeFailure {
  /** The field, e.g. `Arguments/FunctionName`. */
  readonly location: string | undefined;

  constructor(message: string, location?: string) {
    super(message, errorNames.queryEvaluation);
    this.name = 'EvaluationFailure';
    this.location = location;
  }
}

/** A definition that AWS would refuse, or that needs what is not here. */
export class DefinitionError extends Error {
  readonly code: string;
  /** JSON pointer. */
  readonly location: string;

  constructor(message: string, location: string, code = 'SCHEMA_VALIDATION_FAILED') {
    super(message);
    this.name = 'DefinitionError';
    this.code = code;
    this.location = location;
  }
}
