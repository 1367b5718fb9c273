import type { EmittableEvent } from './emittable-event.ts';
import { EmitFailedError } from './errors.ts';
import type { EventEmitter } from './event-emitter.ts';

/** Keeps what it was given, for tests. `refuse` makes it fail as EventBridge does, event by event. */
export class InMemoryEmitter implements EventEmitter {
  /** Every accepted event, in order. */
  readonly emitted: EmittableEvent[] = [];
  /** One array for each call of `emit`, with the events it was asked to send. */
  readonly calls: EmittableEvent[][] = [];
  /** Events for which this returns true are not accepted. */
  refuse: (event: EmittableEvent) => boolean = () => false;

  async emit(events: readonly EmittableEvent[]): Promise<void> {
    this.calls.push([...events]);
    const refused = events.filter((event) => this.refuse(event));
    this.emitted.push(...events.filter((event) => !refused.includes(event)));
    if (refused.length > 0) {
      throw new EmitFailedError(
        refused.map((event) => ({ event, errorCode: 'InternalFailure', errorMessage: 'Refused by the test' })),
        events.length,
      );
    }
  }
}
