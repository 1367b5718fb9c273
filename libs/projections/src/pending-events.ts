import type { Event } from '@millrace/events';
import { type Applied, isApplied, withApplied } from './applied.ts';
import { type Projection, sequenceOf } from './define-projection.ts';
import { SequenceGapError } from './errors.ts';

/** Some events of one aggregate. */
export interface SubjectEvents {
  subject: string;
  events: readonly Event[];
}

/** What is still to be applied of some events, in order, and what is in afterwards. */
export interface Pending {
  events: Event[];
  applied: Applied;
}

/**
 * Which of an aggregate's events are to be applied to a projection now.
 * @param applied what is in already
 * @throws SequenceGapError when the order counts and an event is missing before one of them; SEQUENCE_MISSING
 */
export function pendingEvents(
  { name, late }: Pick<Projection, 'name' | 'late'>,
  applied: Applied,
  { subject, events }: SubjectEvents,
): Pending {
  const pending: Pending = { events: [], applied };
  for (const event of events.toSorted((a, b) => sequenceOf(a) - sequenceOf(b))) {
    const sequence = sequenceOf(event);
    if (isApplied(pending.applied, sequence)) continue;
    const next = pending.applied.upTo + 1;
    if (late === 'drop' && sequence !== next) throw new SequenceGapError(name, subject, next, sequence);
    pending.events.push(event);
    pending.applied = withApplied(pending.applied, sequence);
  }
  return pending;
}
