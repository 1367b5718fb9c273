import * as z from 'zod';

/** The body of `POST /checkouts/{checkoutId}/approval`. */
export const approvalRequest = z.strictObject({ approved: z.boolean() });
