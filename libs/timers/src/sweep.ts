import type { Deadline, Deadlines } from './deadlines.ts';

/** The outcome of a sweep. */
export interface SweepOutcome {
  /** Aggregates that it has ended. */
  ended: number;
  /** Those that could not be ended, with the reasons: they are still overdue. */
  failures: { id: string; error: unknown }[];
}

/** For the schedule, which is usually there: EventBridge Scheduler is up to a minute late. */
export const GRACE_MS = 2 * 60_000;

/** Aggregates that are ended side by side. */
const CONCURRENCY = 10;

/**
 * Ends every aggregate whose deadline has passed for longer than a schedule may be late. One that fails does not keep the others.
 * @param end ends one, if it is still overdue; returns whether it did
 * @param isTimeLeft asked before each page; the next sweep goes on where this one ends
 * @example
 * const end = async ({ id, cause }: Deadline) => orders.timeOut(id, cause);
 * const { ended } = await sweepOverdue(deadlines, end, { now: new Date(), isTimeLeft: () => true });
 */
export async function sweepOverdue(
  deadlines: Pick<Deadlines, 'overdue'>,
  end: (deadline: Deadline) => Promise<boolean>,
  { now, isTimeLeft }: { now: Date; isTimeLeft: () => boolean },
): Promise<SweepOutcome> {
  const outcome: SweepOutcome = { ended: 0, failures: [] };
  const endOne = async (deadline: Deadline): Promise<void> => {
    try {
      if (await end(deadline)) outcome.ended += 1;
    } catch (error) {
      outcome.failures.push({ id: deadline.id, error });
    }
  };
  for await (const overdue of deadlines.overdue(new Date(now.getTime() - GRACE_MS))) {
    for (let start = 0; start < overdue.length; start += CONCURRENCY) {
      if (!isTimeLeft()) return outcome;
      await Promise.all(overdue.slice(start, start + CONCURRENCY).map(endOne));
    }
  }
  return outcome;
}
