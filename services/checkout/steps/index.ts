import { checkoutOrder } from '@millrace/orders/events';
import type { StepContract } from '@millrace/steps';
import * as z from 'zod';

/** Asks a person to approve an order. The answer comes by the task's token. */
export const requestApproval = {
  name: 'checkout.requestApproval',
  input: z.object({ order: checkoutOrder, taskToken: z.string().min(1).max(2048), attempt: z.int().nonnegative() }),
} as const satisfies StepContract;
