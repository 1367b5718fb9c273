import type { EndpointRequest } from '@millrace/http';
import { type Slots, slotsFromEnvironment } from '../adapters/slots.ts';
import type { SlotCommand } from '../domain/slot.ts';
import { SlotRefusedError } from '../domain/slot-errors.ts';
import { slotProblem } from './slot-problem.ts';

const slots = slotsFromEnvironment();

/**
 * Runs a command of a request.
 * @throws HttpError for a command that is refused
 */
export async function executeFor(
  { correlationId, traceparent }: Pick<EndpointRequest<unknown, unknown>, 'correlationId' | 'traceparent'>,
  slotId: string,
  command: SlotCommand,
): ReturnType<Slots['execute']> {
  try {
    return await slots.execute(slotId, command, { correlationId, traceparent });
  } catch (error) {
    if (error instanceof SlotRefusedError) throw slotProblem(error);
    throw error;
  }
}
