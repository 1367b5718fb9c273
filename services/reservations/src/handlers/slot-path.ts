import * as z from 'zod';

/** The path parameters of every route below `/slots/{slotId}`. */
export const slotPath = z.object({ slotId: z.guid('expected a UUID').transform((id) => id.toLowerCase()) });
