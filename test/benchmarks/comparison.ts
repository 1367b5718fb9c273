import { formatTable } from '@millrace/command-line';
import { type LoadOptions, measureOrders, type OrderFigures } from './order-load.ts';
import { median, percentile } from './statistics.ts';
import type { RunningVersion } from './version.ts';

/** One of the two that are compared. */
export interface Subject {
  name: string;
  /** Starts it anew. */
  start: (signal?: AbortSignal) => Promise<RunningVersion>;
}

export interface ComparisonOptions extends LoadOptions {
  /** How often each is started and measured. */
  rounds: number;
}

/** The figures of each, by round. */
export type Rounds = readonly [base: OrderFigures[], other: OrderFigures[]];

/**
 * Measures versions in turn: one, the other, one, the other … In each round both have the same machine, whatever else it does, so that the
 * ratio of a round says more than figures of different rounds.
 *
 * @param onProgress gets a line after each measurement
 * @returns the figures of each, by round
 * @example const [base, other] = await measureByTurns([older, newer], { rounds: 3, ...load }, console.log, signal);
 */
export async function measureByTurns(
  subjects: readonly Subject[],
  { rounds, ...load }: ComparisonOptions,
  onProgress: (line: string) => void,
  signal?: AbortSignal,
): Promise<OrderFigures[][]> {
  const figures = subjects.map((): OrderFigures[] => []);
  for (let round = 1; round <= rounds; round += 1) {
    for (const [index, subject] of subjects.entries()) {
      await using system = await subject.start(signal);
      const measured = await measureOrders(system, load, signal);
      figures[index]?.push(measured);
      onProgress(`round ${round} of ${rounds}, ${subject.name}: ${oneLine(measured)}`);
    }
  }
  return figures;
}

function oneLine({ ordersPerSecond, cpuMsPerOrder, lone }: OrderFigures): string {
  return `${ordersPerSecond.toFixed(1)} orders/s, ${number(cpuMsPerOrder, 1)} ms of CPU an order, lone p50 ${percentile(lone, 0.5).toFixed(0)} ms`;
}

/** One figure of a run that is compared. */
interface Measure {
  title: string;
  of: (figures: OrderFigures) => number | undefined;
  digits: number;
}

const measures = {
  cpuMs: { title: 'CPU ms an order', of: ({ cpuMsPerOrder }) => cpuMsPerOrder, digits: 1 },
  ordersPerSecond: { title: 'orders/s', of: ({ ordersPerSecond }) => ordersPerSecond, digits: 1 },
  loneP50: { title: 'lone order p50 ms', of: ({ lone }) => percentile(lone, 0.5), digits: 0 },
  loadP50: { title: 'under load p50 ms', of: ({ times }) => percentile(times, 0.5), digits: 0 },
  peakMiB: { title: 'memory MiB, peak', of: ({ peakMiB }) => peakMiB, digits: 0 },
  requests: { title: 'DynamoDB requests an order', of: ({ counts }) => counts.requests, digits: 1 },
  invocations: { title: 'invocations an order', of: ({ counts }) => counts.invocations, digits: 1 },
} as const satisfies Record<string, Measure>;

export type MeasureName = keyof typeof measures;

/** The median of the rounds, as it is printed; a dash where a version does not tell. */
export function typical(name: MeasureName, rounds: readonly OrderFigures[]): string {
  return number(median(known(rounds.map(measures[name].of))), measures[name].digits);
}

/** How many times as much the other has of it: the median of the rounds, with the least and the most. */
export interface Ratio {
  median: number;
  least: number;
  most: number;
}

/** @returns undefined where one of the two does not tell */
export function ratioOf(name: MeasureName, [base, other]: Rounds): Ratio | undefined {
  const ratios = known(
    other.map((figures, round) => {
      const [above, below] = [figures, base[round]].map((each) => each && measures[name].of(each));
      return above === undefined || below === undefined ? undefined : above / below;
    }),
  );
  if (ratios.length === 0) return undefined;
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

/** A line for each measure: both medians and the ratio. */
export function comparisonTable(names: readonly [base: string, other: string], rounds: Rounds): string {
  const right = { align: 'right' } as const;
  return formatTable(
    [
      { title: '' },
      ...names.map((title) => ({ title, ...right })),
      { title: 'ratio', ...right },
      { title: 'of the rounds' },
    ],
    (Object.keys(measures) as MeasureName[]).map((name) => {
      const ratio = ratioOf(name, rounds);
      const spread = ratio ? `${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)}` : '';
      const medians = rounds.map((figures) => typical(name, figures));
      return [measures[name].title, ...medians, number(ratio?.median, 2), spread];
    }),
  );
}

function known(values: readonly (number | undefined)[]): number[] {
  return values.filter((value) => value !== undefined);
}

/** Rounded, or a dash for what is not known. */
export function number(value: number | undefined, digits: number): string {
  return value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits);
}
