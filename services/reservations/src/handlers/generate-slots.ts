import { tableFromEnvironment } from '@millrace/event-store';
import { withinInvocation } from '@millrace/retry';
import { logger } from '@millrace/telemetry';
import type { Context } from 'aws-lambda';
import { locations } from '../../locations.ts';
import { generateSlots, slotHorizonFromEnvironment } from '../adapters/slot-generation.ts';
import { Slots } from '../adapters/slots.ts';

const table = tableFromEnvironment();
const slots = new Slots(table);
const horizonDays = slotHorizonFromEnvironment();

/** Creates the slots of the coming days. What it does not get to is there next time. */
export const handler = async (_event: unknown, context: Context): Promise<{ created: number }> => {
  const isTimeLeft = () => context.getRemainingTimeInMillis() > 2_000;
  const created = await withinInvocation(context, () =>
    generateSlots(slots, table, { locations, horizonDays, now: new Date(), isTimeLeft }),
  );
  logger.info('Generated slots', { created });
  return { created };
};
