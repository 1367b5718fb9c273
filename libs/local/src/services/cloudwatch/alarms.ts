import type { Clock, Timer } from '../../core/clock.ts';
import type { AlarmChange, AlarmState } from '../../core/observations.ts';
import { Alarm, type AlarmResource, type AlarmStatus } from './alarm.ts';
import type { ReportsMetric } from './alarm-definition.ts';
import type { MetricSources } from './alarm-evaluation.ts';
import { alarmNotification } from './alarm-notification.ts';

export interface AlarmsOptions extends MetricSources {
  resources: readonly AlarmResource[];
  accountId: string;
  region: string;
  /** Replaces the period of every alarm, in seconds. */
  periodSeconds?: number | undefined;
  /** Publishes to an SNS topic, for the alarm of that ARN. */
  publish: (topicArn: string, notification: { Subject: string; Message: string }, alarmArn: string) => Promise<unknown>;
  onChange?: ((change: AlarmChange) => void) | undefined;
  reports: ReportsMetric;
  /** Something the templates ask for that is not done here. */
  onWarning: (line: string) => void;
  clock: Clock;
}

/** An alarm as it is, with what its template says. */
export type DescribedAlarm = AlarmStatus & Alarm['identity'];

const SAMPLE_EVERY_MS = 1000;

/**
 * CloudWatch's metric alarms over the queues, functions and streams of this process. Metrics are sampled once a second. A breach that the rest
 * of its period cannot undo counts at once, everything else when the period is over. The first state after the start
 * is announced only if it is ALARM: the alarms were there before.
 *
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
 */
export class Alarms {
  readonly #alarms: Alarm[];
  readonly #options: AlarmsOptions;
  #timer: Timer | undefined;

  constructor(options: AlarmsOptions) {
    this.#options = options;
    this.#alarms = options.resources.map((resource) => new Alarm(resource, options, options.clock.now()));
  }

  /** Samples and evaluates now and then once a second. */
  start(): void {
    this.#timer?.cancel();
    this.tick();
    const { clock } = this.#options;
    this.#timer = clock.setTimer(clock.now() + SAMPLE_EVERY_MS, () => this.start());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Takes one sample of every metric and evaluates every alarm. */
  tick(): void {
    const now = this.#options.clock.now();
    for (const alarm of this.#alarms) {
      const change = alarm.tick(now);
      if (change) this.#report(alarm, change);
    }
  }

  list(): AlarmStatus[] {
    return this.#alarms.map((alarm) => alarm.status());
  }

  /** The alarms with what their templates say. */
  describe(): DescribedAlarm[] {
    return this.#alarms.map((alarm) => ({ ...alarm.identity, ...alarm.status() }));
  }

  /**
   * Puts an alarm in a state until it is evaluated next, and publishes the change.
   * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
   *
   * @returns false when there is no alarm of the name
   */
  setState(name: string, state: AlarmState, reason: string): boolean {
    const alarm = this.#alarms.find((candidate) => candidate.status().name === name);
    if (!alarm) return false;
    const change = alarm.set(state, reason, this.#options.clock.now());
    if (change) this.#report(alarm, change);
    return true;
  }

  #report(alarm: Alarm, change: AlarmChange): void {
    const { accountId, region, onChange, onWarning, publish } = this.#options;
    onChange?.(change);
    const topics = alarm.actionsFor(change.state).filter((arn) => arn.split(':')[2] === 'sns');
    if (topics.length === 0) return;
    const notification = alarmNotification(change, { ...alarm.identity, accountId, region });
    for (const topicArn of topics) {
      publish(topicArn, notification, alarm.identity.arn).catch((error: Error) => {
        onWarning(`The alarm ${change.name} could not be published: ${error.message}`);
      });
    }
  }
}
