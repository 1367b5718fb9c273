import type { EmittableEvent } from './emittable-event.ts';

/** Puts events on a bus. */
export interface EventEmitter {
  /**
   * Emits all events, or says which were not accepted.
   * @throws EmitFailedError with what could not be sent; everything else has been accepted.
   */
  emit(events: readonly EmittableEvent[]): Promise<void>;
}
