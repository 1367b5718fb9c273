/** Where a schedule delivers to. */
export interface Target {
  Arn: string;
  RoleArn: string;
  Input?: string;
  DeadLetterConfig?: { Arn?: string };
  RetryPolicy?: { MaximumEventAgeInSeconds?: number; MaximumRetryAttempts?: number };
  EventBridgeParameters?: { DetailType: string; Source: string };
  KinesisParameters?: { PartitionKey: string };
  SqsParameters?: { MessageGroupId?: string };
}

/** A schedule, as it is kept. Times are in milliseconds since the epoch. */
export interface Schedule {
  readonly arn: string;
  readonly groupName: string;
  readonly name: string;
  readonly expression: string;
  readonly timeZone: string;
  readonly description?: string;
  readonly startDate?: number;
  readonly endDate?: number;
  readonly state: 'ENABLED' | 'DISABLED';
  readonly flexibleTimeWindow: { Mode: 'OFF' | 'FLEXIBLE'; MaximumWindowInMinutes?: number };
  readonly target: Target;
  readonly actionAfterCompletion: 'NONE' | 'DELETE';
  readonly kmsKeyArn?: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
  /** From when a rate without a start date counts. */
  readonly origin: number;
  /** The last time it was due, if it was. */
  readonly lastDue?: number;
  /** Declared by a template, not made by a call. */
  readonly isDeclared: boolean;
}

export interface ScheduleGroup {
  readonly arn: string;
  readonly name: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly isDeclared: boolean;
}

/** One time that a schedule is due, until its target has been called or given up. */
export interface Invocation {
  readonly id: string;
  readonly groupName: string;
  readonly name: string;
  readonly scheduleArn: string;
  /** The time of the schedule, not of the call. */
  readonly scheduledAt: number;
  /** When the first attempt is or was due: within the flexible window. */
  readonly firstAttemptAt: number;
  /** Attempts that have failed. */
  readonly failedAttempts: number;
  readonly target: Target;
}

export const DEFAULT_GROUP = 'default';

/** https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html */
export function retryPolicyOf({ RetryPolicy = {} }: Target): {
  MaximumEventAgeInSeconds: number;
  MaximumRetryAttempts: number;
} {
  return {
    MaximumEventAgeInSeconds: RetryPolicy.MaximumEventAgeInSeconds ?? 86_400,
    MaximumRetryAttempts: RetryPolicy.MaximumRetryAttempts ?? 185,
  };
}

/** The length of the flexible window. */
export function windowMs({ flexibleTimeWindow }: Schedule): number {
  const { Mode, MaximumWindowInMinutes = 0 } = flexibleTimeWindow;
  return Mode === 'FLEXIBLE' ? MaximumWindowInMinutes * 60_000 : 0;
}
