import { randomUUID } from 'node:crypto';
import { endpoint } from '@millrace/http';
import { reservationQuotaFromEnvironment } from '../adapters/reservation-quota.ts';
import { slotsFromEnvironment } from '../adapters/slots.ts';
import { checkInCodeHash, newCheckInCode } from '../domain/check-in-code.ts';
import { type SlotRefusal, SlotRefusedError } from '../domain/slot-errors.ts';
import { slotPath } from './slot-path.ts';
import { slotProblem } from './slot-problem.ts';
import { slotView } from './slot-view.ts';

/** Refusals that another slot would not meet. */
const elsewhere: ReadonlySet<SlotRefusal> = new Set(['SLOT_TAKEN', 'SLOT_CLOSED', 'SLOT_ENDED']);

const slots = slotsFromEnvironment();
const quota = reservationQuotaFromEnvironment();

/**
 * `POST /slots/{slotId}/reservation`: the caller gets the slot and the code to check in with, or 409 with free slots near it, or 429 after too
 * many requests in an hour. To a holder whose
 * answer was lost the same request gives another code; the one before is no longer good.
 */
export const handler = endpoint(
  { path: slotPath },
  async ({ caller, path: { slotId }, correlationId, traceparent }) => {
    const now = new Date();
    const holder = caller.subject;
    await quota.take(holder);
    const code = newCheckInCode();
    const codeHash = checkInCodeHash({ slotId, holder, code });
    const ids = { reservationId: randomUUID(), holder, codeHash };
    try {
      const command = { type: 'ReserveSlot', ...ids, now: now.toISOString() } as const;
      const { slot, events } = await slots.execute(slotId, command, { correlationId, traceparent });
      const isNew = events.some(({ type }) => type === 'SlotReserved');
      return {
        status: isNew ? 201 : 200,
        headers: { location: `/slots/${slotId}`, 'cache-control': 'no-store' },
        body: { ...slotView(slot, holder, now), checkInCode: code },
      };
    } catch (error) {
      if (!(error instanceof SlotRefusedError)) throw error;
      const alternatives = elsewhere.has(error.code) ? await slots.alternativesTo(slotId, now) : undefined;
      throw slotProblem(error, alternatives && { alternatives });
    }
  },
);
