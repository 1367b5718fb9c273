import { CloudWatchClient, GetMetricDataCommand, type Metric, paginateListMetrics } from '@aws-sdk/client-cloudwatch';

/** What the functions of a system did; undefined what a version does not report. */
export interface Counts {
  /** To DynamoDB, those that read streams left out. */
  requests: number | undefined;
  invocations: number | undefined;
}

const DAY_SECONDS = 24 * 60 * 60;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html */
const QUERIES_IN_A_CALL = 500;

/** Reads from the metrics of a local cloud how often it was asked. Nothing has to be counted for it that is not counted anyway. */
export class CloudCounts {
  readonly #client: CloudWatchClient;

  constructor(awsUrl: string) {
    const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
    this.#client = new CloudWatchClient({ endpoint: awsUrl, region: 'us-east-1', credentials, maxAttempts: 1 });
  }

  /** Reads both as they are since yesterday. */
  async read(): Promise<Counts> {
    const latencies = await this.#metrics('AWS/DynamoDB', 'SuccessfulRequestLatency');
    const invocations = await this.#metrics('AWS/Lambda', 'Invocations');
    return {
      requests: await this.#sum(latencies.filter(isOfItems), 'SampleCount'),
      invocations: await this.#sum(invocations, 'Sum'),
    };
  }

  /** The difference of two readings, an order. */
  perOrder(before: Counts, after: Counts, orders: number): Counts {
    const difference = (name: keyof Counts): number | undefined => {
      const [from, to] = [before[name], after[name]];
      return from === undefined || to === undefined ? undefined : (to - from) / orders;
    };
    return { requests: difference('requests'), invocations: difference('invocations') };
  }

  async #metrics(Namespace: string, MetricName: string): Promise<Metric[]> {
    const metrics: Metric[] = [];
    try {
      for await (const { Metrics = [] } of paginateListMetrics({ client: this.#client }, { Namespace, MetricName })) {
        metrics.push(...Metrics);
      }
    } catch {
      // A version without CloudWatch, or with less of it.
    }
    return metrics;
  }

  /** Of everything since yesterday; undefined where there is no such metric. */
  async #sum(metrics: readonly Metric[], Stat: 'Sum' | 'SampleCount'): Promise<number | undefined> {
    if (metrics.length === 0) return undefined;
    let sum = 0;
    for (let index = 0; index < metrics.length; index += QUERIES_IN_A_CALL) {
      const some = metrics.slice(index, index + QUERIES_IN_A_CALL);
      const { MetricDataResults = [] } = await this.#client.send(
        new GetMetricDataCommand({
          StartTime: new Date(Date.now() - DAY_SECONDS * 1000),
          EndTime: new Date(Date.now() + 60_000),
          MetricDataQueries: some.map((Metric, number) => ({
            Id: `m${number}`,
            MetricStat: { Metric, Period: DAY_SECONDS, Stat },
          })),
        }),
      );
      for (const { Values = [] } of MetricDataResults) sum += Values.reduce((total, value) => total + value, 0);
    }
    return sum;
  }
}

/** Streams are read all the time, whether there are orders or not. */
function isOfItems({ Dimensions = [] }: Metric): boolean {
  return Dimensions.every(({ Name, Value }) => Name !== 'Operation' || Value !== 'GetRecords');
}
