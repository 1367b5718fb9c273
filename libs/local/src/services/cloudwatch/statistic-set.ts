/** The values of a metric in a period, summed up. */
export interface StatisticSet {
  count: number;
  sum: number;
  minimum: number;
  maximum: number;
  /** How often each value came, for percentiles: missing where only sums were reported. */
  values?: Record<string, number>;
}

/** Distinct values that are kept apart. Beyond it they go into buckets. */
const MAX_DISTINCT = 300;
/** Each bucket is a tenth wider than the one before, which moves a percentile by 5 % at most. */
const GROWTH = 1.1;

/** One value, which came a number of times. */
export function setOf(value: number, count = 1): StatisticSet {
  return { count, sum: value * count, minimum: value, maximum: value, values: { [value]: count } };
}

export function merge(one: StatisticSet, other: StatisticSet): StatisticSet {
  const values = one.values && other.values && mergeValues(one.values, other.values);
  return {
    count: one.count + other.count,
    sum: one.sum + other.sum,
    minimum: Math.min(one.minimum, other.minimum),
    maximum: Math.max(one.maximum, other.maximum),
    ...(values && { values }),
  };
}

/** Sums up many values, one by one. */
export class SetBuilder {
  #count = 0;
  #sum = 0;
  #minimum = Number.POSITIVE_INFINITY;
  #maximum = Number.NEGATIVE_INFINITY;
  #values = new Map<number, number>();
  #isBucketed = false;

  add(value: number): void {
    this.#count += 1;
    this.#sum += value;
    this.#minimum = Math.min(this.#minimum, value);
    this.#maximum = Math.max(this.#maximum, value);
    const kept = this.#isBucketed ? bucketOf(value) : value;
    this.#values.set(kept, (this.#values.get(kept) ?? 0) + 1);
    if (this.#values.size > MAX_DISTINCT && !this.#isBucketed) {
      this.#isBucketed = true;
      this.#values = new Map(Object.entries(bucketed(this.#values)).map(([bucket, count]) => [Number(bucket), count]));
    }
  }

  toSet(): StatisticSet {
    return {
      ...{ count: this.#count, sum: this.#sum, minimum: this.#minimum, maximum: this.#maximum },
      values: Object.fromEntries(this.#values),
    };
  }
}

function mergeValues(one: Record<string, number>, other: Record<string, number>): Record<string, number> {
  const merged = { ...one };
  for (const [value, count] of Object.entries(other)) merged[value] = (merged[value] ?? 0) + count;
  return Object.keys(merged).length <= MAX_DISTINCT ? merged : bucketed(Object.entries(merged));
}

function bucketed(values: Iterable<[number | string, number]>): Record<string, number> {
  const buckets: Record<string, number> = {};
  for (const [value, count] of values) {
    const bucket = bucketOf(Number(value));
    buckets[bucket] = (buckets[bucket] ?? 0) + count;
  }
  return buckets;
}

/** The middle of a value's bucket, which is in the same bucket itself. */
function bucketOf(value: number): number {
  if (value === 0) return 0;
  const step = Math.round(Math.log(Math.abs(value)) / Math.log(GROWTH));
  return Math.sign(value) * Number((GROWTH ** step).toPrecision(6));
}

/**
 * Reads the name of a statistic: Average, Sum, Minimum, Maximum, SampleCount or a percentile like p99 or p99.9.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
 *
 * @returns gives the value of a set, undefined where it has none; undefined for a name that is not known
 */
export function statisticNamed(name: string): ((set: StatisticSet) => number | undefined) | undefined {
  switch (name) {
    case 'Average':
      return ({ sum, count }) => (count === 0 ? undefined : sum / count);
    case 'Sum':
      return ({ sum }) => sum;
    case 'Minimum':
      return ({ minimum }) => minimum;
    case 'Maximum':
      return ({ maximum }) => maximum;
    case 'SampleCount':
      return ({ count }) => count;
    default: {
      const [, percent] = /^p(\d{1,2}(?:\.\d{1,10})?|100)$/.exec(name) ?? [];
      return percent === undefined ? undefined : (set) => percentileOf(set, Number(percent));
    }
  }
}

function percentileOf({ values, count }: StatisticSet, percent: number): number | undefined {
  if (!values) return undefined;
  const rank = Math.max(1, Math.ceil((percent / 100) * count));
  let seen = 0;
  const sorted = Object.entries(values).sort(([one], [other]) => Number(one) - Number(other));
  for (const [value, times] of sorted) {
    seen += times;
    if (seen >= rank) return Number(value);
  }
  return undefined;
}
