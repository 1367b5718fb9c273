import type { Clock, Timer } from '../../core/clock.ts';
import type { Rule } from './event-bus.ts';

/**
 * Runs rules on their schedules. A time that passes while nothing runs here is left out, as are all but one of those that pass
 * while the machine sleeps.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
 */
export class RuleSchedules {
  readonly #clock: Pick<Clock, 'now' | 'setTimer'>;
  readonly #onSchedule: (rule: Rule, time: number) => void;
  /** By the ARN of the rule. */
  readonly #timers = new Map<string, Timer>();
  #closed = false;

  /** @param onSchedule is called with the time that the rule was due at, in milliseconds since the epoch */
  constructor(clock: Pick<Clock, 'now' | 'setTimer'>, onSchedule: (rule: Rule, time: number) => void) {
    this.#clock = clock;
    this.#onSchedule = onSchedule;
  }

  /** Takes up the schedule and the state of a rule, in the place of what it had. */
  set(rule: Rule): void {
    this.remove(rule);
    if (this.#closed || rule.state === 'DISABLED') return;
    const next = rule.schedule?.next(this.#clock.now(), rule.scheduledFrom);
    if (next === undefined) return;
    const run = (): void => {
      this.set(rule);
      this.#onSchedule(rule, next);
    };
    this.#timers.set(rule.arn, this.#clock.setTimer(next, run));
  }

  remove({ arn }: Pick<Rule, 'arn'>): void {
    this.#timers.get(arn)?.cancel();
    this.#timers.delete(arn);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}
