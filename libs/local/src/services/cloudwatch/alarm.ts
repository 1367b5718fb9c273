import type { AlarmChange, AlarmState } from '../../core/observations.ts';
import { type AlarmActions, type ReportsMetric, readAlarm } from './alarm-definition.ts';
import { AlarmEvaluation, type MetricSources } from './alarm-evaluation.ts';
import { alarmState } from './alarm-state.ts';

/** An AWS::CloudWatch::Alarm of a stack. */
export interface AlarmResource {
  name: string;
  arn: string;
  /** Its properties, resolved. */
  properties: Record<string, unknown>;
}

/** An alarm as it stands. */
export interface AlarmStatus {
  name: string;
  description: string;
  state: AlarmState;
  reason: string;
  /** When it changed to this state, ISO 8601. */
  stateUpdatedAt: string;
}

export interface AlarmOptions extends MetricSources {
  /** Replaces the template's period, in seconds. */
  periodSeconds?: number | undefined;
  reports: ReportsMetric;
  onWarning: (line: string) => void;
}

/** One metric alarm with its state. */
export class Alarm {
  readonly #name: string;
  readonly #arn: string;
  readonly #properties: Record<string, unknown>;
  readonly #description: string;
  readonly #actions: AlarmActions;
  readonly #sources: MetricSources;
  readonly #evaluation: AlarmEvaluation | undefined;
  #state: AlarmState = 'INSUFFICIENT_DATA';
  #reason = 'Unchecked: Initial alarm creation';
  #changedAt: number;
  #isNew = true;

  constructor({ name, arn, properties }: AlarmResource, options: AlarmOptions, now: number) {
    const { AlarmDescription, OKActions, AlarmActions, InsufficientDataActions } = properties;
    this.#name = name;
    this.#arn = arn;
    this.#properties = properties;
    this.#description = AlarmDescription === undefined ? '' : String(AlarmDescription).trim();
    this.#actions = {
      OK: arns(OKActions),
      ALARM: arns(AlarmActions),
      INSUFFICIENT_DATA: arns(InsufficientDataActions),
    };
    this.#sources = options;
    this.#changedAt = now;
    const { periodSeconds, reports } = options;
    try {
      this.#evaluation = new AlarmEvaluation(readAlarm(properties, { periodSeconds, reports }), now);
    } catch (error) {
      const { message } = error as Error;
      this.#reason = `Not evaluated here: ${message}`;
      options.onWarning(`The alarm ${name} is not evaluated: ${message}`);
    }
  }

  get identity() {
    return {
      arn: this.#arn,
      actions: this.#actions,
      properties: this.#properties,
      periodSeconds: this.#evaluation?.periodSeconds ?? 0,
    };
  }

  actionsFor(state: AlarmState): readonly string[] {
    return String(this.#properties.ActionsEnabled ?? true) === 'true' ? this.#actions[state] : [];
  }

  status(): AlarmStatus {
    return {
      name: this.#name,
      description: this.#description,
      state: this.#state,
      reason: this.#reason,
      stateUpdatedAt: new Date(this.#changedAt).toISOString(),
    };
  }

  /**
   * Takes a sample and evaluates.
   *
   * @returns the change of state, if there is one to tell of: the first state is not, unless it is an alarm
   */
  tick(now: number): AlarmChange | undefined {
    const values = this.#evaluation?.sample(now, this.#sources, this.#state);
    const decided = values && this.#evaluation && alarmState(this.#evaluation.rule, values);
    if (!decided) return undefined;
    this.#reason = decided.reason;
    if (decided.state === this.#state) return undefined;
    const isNews = !this.#isNew || decided.state === 'ALARM';
    const change = this.#change(decided, now);
    return isNews ? change : undefined;
  }

  /** Puts the alarm in a state until it is evaluated next. */
  set(state: AlarmState, reason: string, now: number): AlarmChange | undefined {
    const isChange = state !== this.#state;
    const change = this.#change({ state, reason }, now);
    return isChange ? change : undefined;
  }

  #change({ state, reason }: { state: AlarmState; reason: string }, now: number): AlarmChange {
    const previousState = this.#state;
    this.#isNew = false;
    this.#state = state;
    this.#reason = reason;
    this.#changedAt = now;
    return { name: this.#name, description: this.#description, previousState, changedAt: now, state, reason };
  }
}

function arns(actions: unknown): string[] {
  return Array.isArray(actions) ? actions.map(String) : [];
}
