import { DuplicateEventError, isUnavailable, TransientError } from '@millrace/errors';
import type { Cause, InboxKey } from '@millrace/events';
import { shownIdentifier } from '@millrace/privacy';
import { withinInvocation } from '@millrace/retry';
import { logger } from '@millrace/telemetry';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { InvalidStepInput, StepRefusal, StepUnavailable } from './errors.ts';
import { named } from './named-failure.ts';

/** The part of the input that all steps have. */
const common = z.object({
  /** The same for every attempt of the same step of the same execution, and for no other. */
  idempotencyKey: z.string().min(1).max(200),
  cause: z.object({
    correlationId: z.string().min(1),
    causationId: z.string().optional(),
    traceparent: z.string().optional(),
  }),
});

/** A step that a service offers. */
export interface StepContract {
  /** `<service>.<function>`, such as `inventory.reserveStockForCheckout`. */
  readonly name: string;
  /** Without the idempotency key and the cause. */
  readonly input: z.ZodObject;
  /** The answer. Omit it for a step that returns nothing. */
  readonly output?: z.ZodType;
}

/** The type of a step's answer. */
type StepOutput<Contract extends StepContract> = Contract extends { output: infer Output extends z.ZodType }
  ? z.output<Output>
  : // biome-ignore lint/suspicious/noConfusingVoidType: with undefined, a step without an output could not be an async function that just ends
    void;

export interface StepContext {
  /** For the events that follow from the step. */
  cause: Cause;
  /** To be written in the transaction of the step's effect. */
  inbox: InboxKey;
  /** Of this invocation, for idempotency that watches its deadline. */
  lambda: Context;
}

/**
 * The Lambda handler of a step.
 *
 * @param run does the step; it may run again with the same input, also when it was done before. Wrap its effect in
 *   `ignoringDuplicates`, and answer from what is stored
 * @returns the handler. It throws a StepRefusal as it is; StepUnavailable for what may pass; InvalidStepInput. Each error's message begins
 *   with its name, see `readStepFailure`
 * @example
 * export const handler = step(recallShipment, async ({ order }, { cause, inbox }) => shipments.recall(order.orderId, cause, inbox));
 */
export function step<Contract extends StepContract>(
  { name, input }: Contract,
  run: (input: z.output<Contract['input']>, context: StepContext) => Promise<StepOutput<Contract>>,
): (event: unknown, context: Context) => Promise<StepOutput<Contract>> {
  return async (event, context) => {
    const log = logger.createChild();
    log.appendKeys({ step: name });
    try {
      const { idempotencyKey, cause } = parse(name, common, event);
      const own = parse<Contract['input']>(name, input, event);
      log.appendKeys({
        idempotency_key: shownIdentifier(idempotencyKey),
        correlation_id: shownIdentifier(cause.correlationId),
      });
      return await withinInvocation(context, () =>
        run(own, { cause, inbox: { consumer: name, eventId: idempotencyKey }, lambda: context }),
      );
    } catch (error) {
      if (error instanceof StepRefusal) {
        log.info('Step refused', { error_code: error.code });
        throw named(error);
      }
      if (mayPass(error)) {
        log.warn('Step unavailable', { error: error as Error });
        throw named(new StepUnavailable(name, error));
      }
      log.error('Step failed', { error: error as Error });
      throw named(error);
    }
  };
}

/**
 * Waits for an effect, which may be stored already by an earlier run of the step.
 * @throws what the effect throws, but for DuplicateEventError
 * @example await ignoringDuplicates(shipments.recall(orderId, cause, inbox));
 */
export async function ignoringDuplicates(effect: Promise<unknown>): Promise<void> {
  try {
    await effect;
  } catch (error) {
    if (!(error instanceof DuplicateEventError)) throw error;
  }
}

/** A duplicate that a step let through was done by another run of it at this moment: the next attempt finds its effect. */
function mayPass(error: unknown): boolean {
  return error instanceof TransientError || error instanceof DuplicateEventError || isUnavailable(error);
}

function parse<Schema extends z.ZodType>(step: string, schema: Schema, value: unknown): z.output<Schema> {
  const { data, error } = schema.safeParse(value);
  if (!error) return data as z.output<Schema>;
  throw new InvalidStepInput(
    step,
    error.issues.map(({ path }) => path.join('.') || 'not an object'),
  );
}
