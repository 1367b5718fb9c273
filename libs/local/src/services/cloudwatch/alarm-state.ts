import type { AlarmState } from '../../core/observations.ts';
import type { Datapoint } from './metric-math.ts';

/** When datapoints are an alarm. */
export interface AlarmRule {
  breaches: (value: number) => boolean;
  /** `greater than`, for the reason. */
  comparison: string;
  threshold: number;
  evaluationPeriods: number;
  datapointsToAlarm: number;
  treatMissingData: 'breaching' | 'notBreaching' | 'ignore' | 'missing';
}

/** The value of one period. */
export interface PeriodValue {
  /** When the period began, in milliseconds since 1970. */
  startedAt: number;
  value: Datapoint;
}

/** How many more periods than it evaluates an alarm looks at, to find data where some is missing. */
export const EXTRA_PERIODS = 2;

/**
 * Decides an alarm's state and says why, in the words of CloudWatch. The newest values that are there are evaluated;
 * only when they are fewer than the evaluation periods does it matter how missing ones are treated.
 *
 * @param values of the periods since the alarm is there, oldest first; `EXTRA_PERIODS` more than it evaluates, where
 *   there are as many
 * @returns undefined when the state stays as it is
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
export function alarmState(
  rule: AlarmRule,
  values: readonly PeriodValue[],
): { state: AlarmState; reason: string } | undefined {
  const { evaluationPeriods, datapointsToAlarm, treatMissingData } = rule;
  const known = values.filter(({ value }) => value !== undefined).slice(-evaluationPeriods);
  const breaching = known.filter(({ value }) => value !== undefined && rule.breaches(value));
  const missing = Math.min(values.length, evaluationPeriods) - known.length;
  const [oldest] = breaching;
  const undecided = breaching.length === known.length && known.length < evaluationPeriods;
  // A single late datapoint must not look like a row of breaches.
  const lastsLongEnough = oldest !== undefined && values.length - values.indexOf(oldest) >= datapointsToAlarm;

  if (breaching.length >= datapointsToAlarm) return alarm();
  switch (treatMissingData) {
    case 'breaching':
      return breaching.length + missing >= datapointsToAlarm ? alarm() : ok();
    case 'notBreaching':
      return ok();
    case 'ignore':
      return undecided ? undefined : ok();
    case 'missing':
      if (known.length === 0) return { state: 'INSUFFICIENT_DATA', reason: insufficientData(evaluationPeriods) };
      if (!undecided) return ok();
      return lastsLongEnough ? alarm() : undefined;
  }

  function alarm(): { state: AlarmState; reason: string } {
    return { state: 'ALARM', reason: thresholdCrossed(rule, breaching, missing, true) };
  }

  function ok(): { state: AlarmState; reason: string } {
    const within = known.filter((value) => !breaching.includes(value));
    return { state: 'OK', reason: thresholdCrossed(rule, within, missing, false) };
  }
}

function thresholdCrossed(
  { comparison, threshold, evaluationPeriods, treatMissingData }: AlarmRule,
  values: readonly PeriodValue[],
  missing: number,
  breaching: boolean,
): string {
  if (values.length === 0 && missing === 0) return 'No period has ended yet';
  if (values.length === 0) {
    const periods = missing === 1 ? '1 missing datapoint was' : `${missing} missing datapoints were`;
    return `Threshold Crossed: no datapoints were received and ${periods} treated as ${treatMissingData}`;
  }
  const list = values.map(({ value, startedAt }) => `${decimal(value)} (${timeOfDay(startedAt)})`).join(', ');
  const were = values.length === 1 ? 'was' : 'were';
  return (
    `Threshold Crossed: ${values.length} out of the last ${evaluationPeriods} datapoints [${list}] ${were} ` +
    `${breaching ? '' : 'not '}${comparison} the threshold (${decimal(threshold)})`
  );
}

function insufficientData(evaluationPeriods: number): string {
  return `Insufficient Data: no datapoints in the last ${evaluationPeriods} periods`;
}

function decimal(value: Datapoint): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

function timeOfDay(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(11, 19);
}
