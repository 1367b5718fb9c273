import type { DomainEvent } from './domain-event.ts';
import { UnreadableEventError } from './errors.ts';

/** An event as some version of the code stored it. */
export type StoredShape = DomainEvent & Readonly<Record<string, unknown>>;

/**
 * How old events become new ones: for each type, the step that leads from a schema version to the next one. The newest
 * version of a type is one more than its last step's; a type without steps is at version 1.
 * @example { OrderPlaced: { 1: (event) => ({ ...event, currency: 'EUR' }) } } // OrderPlaced is at version 2
 */
export type Upcasters = Readonly<Record<string, Readonly<Record<number, (event: StoredShape) => StoredShape>>>>;

/** The schema version in which events of a type are appended. */
export function newestVersionOf(upcasters: Upcasters, type: string): number {
  return Math.max(0, ...Object.keys(stepsOf(upcasters, type)).map(Number)) + 1;
}

/**
 * Leads a stored event to the newest version of its schema.
 * @param where stream and version of the event, for the error
 * @throws UnreadableEventError when it is newer than the code, or a step is missing.
 */
export function upcast(upcasters: Upcasters, stored: StoredShape, schemaVersion: number, where: string): StoredShape {
  const { type } = stored;
  const steps = stepsOf(upcasters, type);
  const newest = newestVersionOf(upcasters, type);
  if (schemaVersion > newest) {
    const reason = `${type} has schema version ${schemaVersion}, and this code knows it up to ${newest}`;
    throw new UnreadableEventError('EVENT_FROM_NEWER_CODE', where, reason);
  }
  let event = stored;
  for (let version = schemaVersion; version < newest; version += 1) {
    const step = steps[version];
    if (!step) {
      const reason = `no upcaster leads ${type} from schema version ${version} to ${version + 1}`;
      throw new UnreadableEventError('UPCASTER_MISSING', where, reason);
    }
    event = step(event);
  }
  return event;
}

function stepsOf(upcasters: Upcasters, type: string): Upcasters[string] {
  return Object.hasOwn(upcasters, type) ? (upcasters[type] ?? {}) : {};
}
