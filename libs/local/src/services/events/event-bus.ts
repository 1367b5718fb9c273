import type { EventPattern } from '@millrace/event-pattern';
import { eventBridgeLimits } from '@millrace/events/aws-limits';
import type { Schedule } from '../../core/schedules/schedule-expression.ts';
import type { BusEvent } from './bus-event.ts';
import type { BusPolicy } from './bus-policy.ts';
import type { CompiledTarget } from './rule-target.ts';

/** An event bus with its rules by name. */
export interface EventBus {
  readonly name: string;
  readonly arn: string;
  readonly description: string | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly rules: Map<string, Rule>;
  policy: BusPolicy | undefined;
}

/** A rule of a bus, with its targets. */
export interface Rule {
  readonly name: string;
  readonly arn: string;
  readonly busName: string;
  state: RuleState;
  readonly eventPattern: string | undefined;
  readonly pattern: EventPattern | undefined;
  readonly scheduleExpression: string | undefined;
  readonly schedule: Schedule | undefined;
  /** When the rule got its schedule, in milliseconds since the epoch: a rate is counted from then. */
  readonly scheduledFrom: number;
  readonly description: string | undefined;
  readonly roleArn: string | undefined;
  /** By target id. */
  readonly targets: Map<string, CompiledTarget>;
  /** Of a rule that belongs to an archive, and can be changed through that only. */
  readonly archive?: { readonly record: (event: BusEvent) => Promise<void> };
}

export type RuleState = (typeof ruleStates)[number];

export const ruleStates = ['ENABLED', 'DISABLED', 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS'] as const;

export const defaultBusName = 'default';
export const busNameOrArn = { maximumLength: eventBridgeLimits.busNameOrArnLength, pattern: /^[/.\-_A-Za-z0-9:]+$/ };
