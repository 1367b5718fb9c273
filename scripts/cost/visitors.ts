import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { documentClient } from '@millrace/aws';
import type { Runtime } from '@millrace/local';
import { Slots } from '../../services/reservations/src/adapters/slots.ts';
import type { NewSlot } from '../../services/reservations/src/domain/slot.ts';
import { type Load, request, tokenOf } from './load.ts';
import { plannedReservation, type ReservationOutcome } from './reservation-mix.ts';

/** As many as Berlin Mitte has on a day: what a look at a day reads. */
const SLOTS_OF_A_DAY = 16;
const MINUTE = 60_000;
/** How soon the slots end that are not attended: their reservations end with them. */
const SHORT_MS = 3_000;
const END_DEADLINE_MS = 60_000;

/** Customers who reserve slots. */
export class Visitors implements Load {
  readonly #runtime: Runtime;
  readonly #clients: number;
  readonly #slots: Slots;
  /** Slots that nobody has asked for yet, by what is to become of them. */
  readonly #free = new Map<ReservationOutcome, NewSlot[]>();
  #created = 0;

  constructor({ runtime, stage, clients }: { runtime: Runtime; stage: string; clients: number }) {
    this.#runtime = runtime;
    this.#clients = clients;
    const credentials = { accessKeyId: 'cost', secretAccessKey: 'local' };
    const client = documentClient({ endpoint: runtime.awsUrl, region: 'us-east-1', credentials });
    this.#slots = new Slots({ client, name: `millrace-reservations-${stage}` });
  }

  /** Creates slots past the API: generated ones have begun during opening hours alone. */
  async prepare(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      // Those that are not attended end so soon that they are made when they are asked for.
      const outcome = plannedReservation(index);
      if (outcome === 'not attended') continue;
      const slot = await this.#create(30 * MINUTE);
      if (outcome === 'refused') await this.#reserveForAnother(slot);
      this.#free.set(outcome, [...(this.#free.get(outcome) ?? []), slot]);
    }
  }

  async run(count: number): Promise<number[]> {
    const latenciesMs: number[] = [];
    let begun = 0;
    const visitor = async (): Promise<void> => {
      while (begun < count) {
        const outcome = plannedReservation(begun);
        begun += 1;
        latenciesMs.push(await this.#visit(outcome));
      }
    };
    await Promise.all(Array.from({ length: this.#clients }, visitor));
    return latenciesMs;
  }

  close(): void {}

  /** @returns from the request of the reservation to its answer, in ms */
  async #visit(outcome: ReservationOutcome): Promise<number> {
    const { slotId, location, date } = this.#free.get(outcome)?.shift() ?? (await this.#create(SHORT_MS));
    // Each is another customer's: what one customer may reserve in an hour is limited.
    const token = await tokenOf(this.#runtime, { subject: randomUUID(), scope: 'slots:read slots:write' });
    const send = <Body>(method: string, path: string, status: number, body?: unknown): Promise<Body> =>
      request<Body>(this.#runtime, [method, path, status], token, body);
    const reservation = `/slots/${slotId}/reservation`;
    // The location of a slot that was just made may not be on display yet.
    if (outcome !== 'not attended') await send('GET', `/locations/${location.id}/slots?date=${date}`, 200);
    const started = performance.now();
    const status = outcome === 'refused' ? 409 : 201;
    const { checkInCode: code } = await send<{ checkInCode?: string }>('POST', reservation, status);
    const latencyMs = performance.now() - started;
    if (outcome === 'cancelled') await send('DELETE', reservation, 200);
    if (outcome === 'attended') {
      await send('POST', `/slots/${slotId}/check-in`, 200, { code });
      await send('POST', `/slots/${slotId}/check-out`, 200);
    }
    if (outcome === 'not attended') await this.#untilUnattended(slotId);
    return latencyMs;
  }

  async #create(lengthMs: number): Promise<NewSlot> {
    const started = Date.now() - MINUTE;
    const startsAt = new Date(started).toISOString();
    this.#created += 1;
    const slot: NewSlot = {
      slotId: randomUUID(),
      location: {
        id: `cost-${Math.floor(this.#created / SLOTS_OF_A_DAY)}`,
        name: 'Mill Lane',
        timeZone: 'Europe/Berlin',
      },
      date: startsAt.slice(0, 10),
      startsAt,
      endsAt: new Date(Date.now() + lengthMs).toISOString(),
    };
    const command = { type: 'CreateSlot', slot, now: startsAt } as const;
    await this.#slots.execute(slot.slotId, command, { correlationId: randomUUID() });
    return slot;
  }

  async #reserveForAnother({ slotId }: NewSlot): Promise<void> {
    const ids = { reservationId: randomUUID(), holder: 'another', codeHash: 'none' };
    const command = { type: 'ReserveSlot', ...ids, now: new Date().toISOString() } as const;
    await this.#slots.execute(slotId, command, { correlationId: randomUUID() });
  }

  async #untilUnattended(slotId: string): Promise<void> {
    const deadline = Date.now() + END_DEADLINE_MS;
    while ((await this.#slots.load(slotId)).ended === undefined) {
      if (Date.now() > deadline)
        throw new Error(`The reservation of ${slotId} did not end within ${END_DEADLINE_MS / 1000} s`);
      await delay(50);
    }
  }
}
