import type { EmittableEvent } from './emittable-event.ts';
import { EmitFailedError, type UnsentEvent } from './errors.ts';
import type { EventEmitter } from './event-emitter.ts';

/** Keeps what it was given, for tests. `refuse` makes it fail as EventBridge does, event by event. */
export class InMemoryEmitter implements EventEmitter {
  /** Every accepted event, in order. */
  readonly emitted: EmittableEvent[] = [];
  /** One array for each call of `emit`, with the events it was asked to send. */
  readonly calls: EmittableEvent[][] = [];
  /** Events for which this returns true are not accepted: not this time, or, with `for good`, never. */
  refuse: (event: EmittableEvent) => boolean | 'for good' = () => false;

  async emit(events: readonly EmittableEvent[]): Promise<void> {
    this.calls.push([...events]);
    const unsent: UnsentEvent[] = [];
    for (const event of events) {
      const refused = this.refuse(event);
      const failure = { event, errorMessage: 'Refused by the test' };
      if (refused === 'for good') unsent.push({ ...failure, errorCode: 'InvalidArgument', refused: true });
      else if (refused) unsent.push({ ...failure, errorCode: 'InternalFailure' });
      else this.emitted.push(event);
    }
    if (unsent.length > 0) throw new EmitFailedError(unsent, events.length);
  }
}
