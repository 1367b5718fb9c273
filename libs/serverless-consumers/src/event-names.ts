import { similarNames } from '@millrace/command-line';
import { findWorkspaceRoot, loadContracts, serviceDirectories } from '@millrace/workspace/catalogue';
import { ConfigurationError } from './configuration-error.ts';

/** The facts of a contract that rules and policies are made of, and its owner. */
export interface KnownEvent {
  detailType: string;
  source: string;
  service: string;
  /** Its own detail-type, and those of the versions before that it upcasts. */
  accepts: readonly string[];
  /** Its variants on the analytics bus; undefined when its contract declares none. */
  analytics?: KnownVariant | undefined;
}

/** The variants of an event. */
export interface KnownVariant extends KnownEvent {
  /** The paths of persons' ids that leave as pseudonyms. */
  pseudonyms: readonly string[];
}

/** True if ids of persons leave with the variants of some of the events, as pseudonyms. */
export function needsPseudonyms(events: readonly KnownEvent[]): boolean {
  return events.some(({ analytics }) => analytics !== undefined && analytics.pseudonyms.length > 0);
}

/** The events of every service of the workspace, and of `serviceDirectory` wherever it stands, by detail-type. */
export function knownEvents(serviceDirectory: string): Promise<ReadonlyMap<string, KnownEvent>> {
  const folders = new Set([...serviceDirectories(findWorkspaceRoot(serviceDirectory)), serviceDirectory]);
  return loadContracts([...folders]);
}

/**
 * Finds the events by their detail-types, in the same order.
 * @param key where the list stands, for messages
 * @throws ConfigurationError CONSUMERS_UNKNOWN_EVENT with the nearest name
 */
export function resolveEvents(
  detailTypes: readonly string[],
  key: string,
  known: ReadonlyMap<string, KnownEvent>,
): KnownEvent[] {
  return detailTypes.map((detailType, index) => {
    const event = known.get(detailType);
    if (event) return event;
    const names = [...known.keys()].sort();
    const [nearest] = similarNames(names, detailType);
    throw new ConfigurationError(
      'CONSUMERS_UNKNOWN_EVENT',
      `${key}[${index}]`,
      `no contract defines ${detailType}. ${nearest === undefined ? '' : `Did you mean ${nearest}? `}` +
        `Known events: ${names.join(', ') || 'none'}`,
    );
  });
}

/** Every detail-type under which the events may stand on the bus, each once. */
export function acceptedTypes(events: readonly KnownEvent[]): string[] {
  return [...new Set(events.flatMap(({ accepts }) => accepts))];
}

/** The one of some events that takes the place of an event, if any. */
export function successorOf(event: KnownEvent, events: readonly KnownEvent[]): KnownEvent | undefined {
  return events.find(
    ({ detailType, accepts }) => detailType !== event.detailType && accepts.includes(event.detailType),
  );
}
