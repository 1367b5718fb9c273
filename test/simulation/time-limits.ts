import type { World } from './world.ts';

const MINUTE = 60_000;
/** More than any schedule is late, and than a sweep and its repetitions take. */
const LONGEST_MS = 8 * 60 * MINUTE;
const STEP_MS = 10 * MINUTE;

/** The functions that run at a rate, and the time that has to pass until every time limit has had its say. */
export class TimeLimits {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    for (const { name, rateMs } of world.deployment.functions) if (rateMs !== undefined) this.#repeat(name, rateMs);
  }

  /** Lets time pass until no order is open, no reservation is overdue and no schedule is to run meanwhile, but not for ever. */
  async pass(): Promise<void> {
    const { scheduler, schedules } = this.#world;
    const end = scheduler.now + LONGEST_MS;
    while ((schedules.isDueBy(end) || this.#hasWork(end)) && scheduler.now < end) {
      scheduler.after(STEP_MS, () => {});
      await scheduler.run();
    }
  }

  #repeat(name: string, rateMs: number): void {
    const { scheduler, functions, sabotage } = this.#world;
    scheduler.after(
      rateMs,
      () => {
        // A sweep that would find nothing is left out.
        if (!sabotage.neverSweeps && this.#hasWork(scheduler.now)) functions.invoke(name, {}, () => {});
        this.#repeat(name, rateMs);
      },
      { idle: true },
    );
  }

  /** Whether an order is open, or the time of a reservation is over by then. */
  #hasWork(time: number): boolean {
    return this.#hasOpenOrders() || this.#hasReservationUntil(new Date(time).toISOString());
  }

  /** By the rows of the reservations' time limits, which begin with the time. */
  #hasReservationUntil(time: string): boolean {
    const items = this.#world.engine.table('millrace-reservations-dev')?.items.scan() ?? [];
    for (const { item } of items) {
      const [pk, sk] = [item.pk, item.sk].map((key) => String((key as { S?: string } | undefined)?.S));
      if (pk?.startsWith('RESERVATION-DEADLINES#') && String(sk) <= `${time}~`) return true;
    }
    return false;
  }

  #hasOpenOrders(): boolean {
    const items = this.#world.engine.table('millrace-orders-dev')?.items.scan() ?? [];
    for (const { item } of items)
      if (item.sk && 'S' in item.sk && item.sk.S === 'EVENT#0000000001' && !this.#hasEnded(item.pk)) return true;
    return false;
  }

  #hasEnded(pk: unknown): boolean {
    const subject = String((pk as { S?: string } | undefined)?.S).slice('ORDER#'.length);
    return this.#world.store.endsOf(subject).length > 0;
  }
}
