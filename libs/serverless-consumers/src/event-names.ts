import { findWorkspaceRoot, loadContracts, serviceDirectories } from '@millrace/events/catalogue';
import { ConfigurationError } from './configuration-error.ts';

/** The two facts of a contract that rules and policies are made of, and its owner. */
export interface KnownEvent {
  detailType: string;
  source: string;
  service: string;
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
    const nearest = nearestName(detailType, names);
    throw new ConfigurationError(
      'CONSUMERS_UNKNOWN_EVENT',
      `${key}[${index}]`,
      `no contract defines ${detailType}. ${nearest === undefined ? '' : `Did you mean ${nearest}? `}` +
        `Known events: ${names.join(', ') || 'none'}`,
    );
  });
}

/** The name that differs in the fewest characters, if that is at most a third of it. */
function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const [nearest] = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= candidate.length / 3)
    .sort((a, b) => a.distance - b.distance);
  return nearest?.candidate;
}

/** Levenshtein's distance, row by row. https://en.wikipedia.org/wiki/Levenshtein_distance#Iterative_with_two_matrix_rows */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [row, left] of [...a].entries()) {
    const current = [row + 1];
    for (const [column, right] of [...b].entries()) {
      const substitution = (previous[column] ?? 0) + (left === right ? 0 : 1);
      current.push(Math.min(substitution, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
