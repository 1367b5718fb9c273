import {
  contractFor,
  EmitFailedError,
  type EmittableEvent,
  type EventContract,
  type EventEmitter,
  type Pseudonymize,
} from '@millrace/events';
import { messageOf } from '@millrace/privacy';
import { logger } from '@millrace/telemetry';

/** Why the variant of an event is not on the analytics bus. */
export interface VariantFailure {
  code: string;
  message: string;
  /** Trying again cannot help. */
  isPermanent: boolean;
}

/** Makes the analytics variants of events, and puts them on the analytics bus. */
export class Variants {
  readonly #contracts: readonly EventContract[];
  readonly #bus: EventEmitter;
  readonly #pseudonymize: Pseudonymize | undefined;

  constructor(contracts: readonly EventContract[], bus: EventEmitter, pseudonymize?: Pseudonymize) {
    this.#contracts = contracts;
    this.#bus = bus;
    this.#pseudonymize = pseudonymize;
  }

  /**
   * Puts the variants of events on the bus, ten in a request. Events whose contract declares no `analytics` have none.
   * @returns the events whose variant is not there, and why. It does not throw.
   */
  async emit(events: readonly EmittableEvent[]): Promise<ReadonlyMap<EmittableEvent, VariantFailure>> {
    const failures = new Map<EmittableEvent, VariantFailure>();
    const eventOf = new Map<EmittableEvent, EmittableEvent>();
    for (const event of events) {
      try {
        const variant = this.#variantOf(event);
        if (variant) eventOf.set(variant, event);
      } catch (error) {
        const message = `The event is on the domain bus, but its analytics variant cannot be made: ${messageOf(error)}`;
        failures.set(event, { code: 'ANALYTICS_VARIANT_FAILED', message, isPermanent: true });
      }
    }
    if (eventOf.size === 0) return failures;
    try {
      await this.#bus.emit([...eventOf.keys()]);
    } catch (error) {
      logger.warn('Analytics variants were not emitted', { error: error as Error });
      const unsent =
        error instanceof EmitFailedError ? new Map(error.unsent.map((each) => [each.event, each])) : undefined;
      for (const [variant, event] of eventOf) {
        const failure = unsent?.get(variant);
        // Unlike the domain bus, that of analytics must not stop a shop: a relay that may not use it buries the variants.
        const isPermanent = failure?.refused === true || failure?.errorCode === 'AccessDeniedException';
        if (!failure && unsent) continue;
        const { errorCode = 'EMIT_FAILED' } = failure ?? {};
        const message = `The event is on the domain bus, but EventBridge refused its analytics variant: ${errorCode}`;
        failures.set(event, { code: isPermanent ? 'ANALYTICS_VARIANT_REFUSED' : errorCode, message, isPermanent });
      }
    }
    return failures;
  }

  #variantOf(event: EmittableEvent): EmittableEvent | undefined {
    const contract = contractFor(this.#contracts, event.detailType);
    return contract?.source === event.source
      ? contract.restore(event.entry).analyticsVariant(this.#pseudonymize)
      : undefined;
  }
}
