import {
  contractFor,
  EmitFailedError,
  type EmittableEvent,
  type EventContract,
  type EventEmitter,
  type Pseudonymize,
} from '@millrace/events';
import { messageOf } from '@millrace/privacy';
import { beforeTimeLimit } from '@millrace/retry';
import { logger } from '@millrace/telemetry';
import type { PseudonymSource } from './pseudonyms.ts';

/** Why the variant of an event is not on the analytics bus. */
export interface VariantFailure {
  code: string;
  message: string;
  /** Trying again cannot help. */
  isPermanent: boolean;
}

/** By what KMS says that asking it again does not help. https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html */
const keyRefusals = new Set([
  ...['AccessDeniedException', 'DisabledException', 'InvalidKeyUsageException', 'KMSInvalidStateException'],
  'NotFoundException',
]);

/** Makes the analytics variants of events, and puts them on the analytics bus. */
export class Variants {
  readonly #contracts: readonly EventContract[];
  readonly #bus: EventEmitter;
  readonly #pseudonyms: PseudonymSource | undefined;

  /** @param pseudonyms needed when one of the contracts lets ids of persons leave as pseudonyms */
  constructor(contracts: readonly EventContract[], bus: EventEmitter, pseudonyms?: PseudonymSource) {
    this.#contracts = contracts;
    this.#bus = bus;
    this.#pseudonyms = pseudonyms;
  }

  /**
   * Puts the variants of events on the bus, ten in a request. Events whose contract declares no `analytics` have none.
   * @returns the events whose variant is not there, and why. It does not throw.
   */
  async emit(events: readonly EmittableEvent[]): Promise<ReadonlyMap<EmittableEvent, VariantFailure>> {
    const failures = new Map<EmittableEvent, VariantFailure>();
    const eventOf = new Map<EmittableEvent, EmittableEvent>();
    const pseudonymize = await this.#pseudonymizeFor(events, failures);
    for (const event of events) {
      if (failures.has(event)) continue;
      try {
        const variant = this.#contractOf(event)?.restore(event.entry).analyticsVariant(pseudonymize);
        if (variant) eventOf.set(variant, event);
      } catch (error) {
        const message = `The event is on the domain bus, but its analytics variant cannot be made: ${messageOf(error)}`;
        failures.set(event, { code: 'ANALYTICS_VARIANT_FAILED', message, isPermanent: true });
      }
    }
    if (eventOf.size === 0) return failures;
    try {
      await beforeTimeLimit(() => this.#bus.emit([...eventOf.keys()]));
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

  /**
   * What makes the pseudonyms of some events; undefined when none of them needs it. Without it, those events fail and the others do not:
   * for a while when KMS cannot be reached, and for good when it refuses, for analytics must not stop a shop.
   */
  async #pseudonymizeFor(
    events: readonly EmittableEvent[],
    failures: Map<EmittableEvent, VariantFailure>,
  ): Promise<Pseudonymize | undefined> {
    const withPersons = events.filter((event) => this.#contractOf(event)?.analytics?.pseudonyms.length);
    if (withPersons.length === 0) return undefined;
    try {
      return await beforeTimeLimit(async () => this.#pseudonyms?.());
    } catch (error) {
      logger.warn('The key of pseudonyms cannot be used', { error: error as Error });
      const { name } = error as Error;
      const isPermanent = keyRefusals.has(name);
      const code = isPermanent ? 'ANALYTICS_VARIANT_REFUSED' : 'PSEUDONYM_KEY_UNAVAILABLE';
      const message = `The event is on the domain bus, but KMS did not let its analytics variant have pseudonyms: ${name}`;
      for (const event of withPersons) failures.set(event, { code, message, isPermanent });
      return undefined;
    }
  }

  #contractOf(event: EmittableEvent): EventContract | undefined {
    const contract = contractFor(this.#contracts, event.detailType);
    return contract?.source === event.source ? contract : undefined;
  }
}
