/** The state of a CloudWatch alarm. */
export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** A change of an alarm's state. */
export interface AlarmChange {
  name: string;
  description: string;
  state: AlarmState;
  previousState: AlarmState;
  reason: string;
  /** Milliseconds since 1970. */
  changedAt: number;
}

/**
 * One entry of a function's log: a line it wrote, or what Lambda itself logs about an error, a timeout or an exit. Entries of the
 * init phase carry the request id of the call that is waiting for it, or one of their own.
 */
export interface FunctionLogLine {
  functionName: string;
  requestId: string;
  stream: 'stdout' | 'stderr';
  line: string;
  /** Epoch milliseconds. */
  timestamp: number;
}

/** One value of a CloudWatch metric. */
export interface MetricReport {
  /** e.g. `AWS/Lambda` */
  readonly namespace: string;
  readonly name: string;
  readonly value: number;
  readonly dimensions: Readonly<Record<string, string>>;
  /** `None` unless given. */
  readonly unit?: string;
}
