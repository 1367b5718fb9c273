import { shownIdentifier } from '@millrace/privacy';

/**
 * In what an event's envelope and its metadata contradict each other: `source` and `metadata.service`, `detail-type` and
 * `metadata.name` with `metadata.version`. What is missing, or is no text or number, contradicts nothing: that breaks the
 * contract.
 *
 * @returns one phrase for each, e.g. `metadata.service is payments, source is millrace.orders`; empty when they agree
 */
export function envelopeMismatches(envelope: { source: string; 'detail-type': string; detail: unknown }): string[] {
  const { source, 'detail-type': detailType, detail } = envelope;
  const { name, version, service } = metadataOf(detail);
  const [, namedName, namedVersion] = /^(.*)\.v(\d+)$/.exec(detailType) ?? [];
  const mismatches: string[] = [];
  const compare = (field: string, value: unknown, agrees: boolean, counterpart: string) => {
    if (!agrees) mismatches.push(`metadata.${field} is ${shownIdentifier(String(value))}, ${counterpart}`);
  };
  if (typeof service === 'string') {
    compare('service', service, source === `millrace.${service}`, `source is ${shownIdentifier(source)}`);
  }
  const called = `detail-type is ${shownIdentifier(detailType)}`;
  if (typeof name === 'string') compare('name', name, name === namedName, called);
  if (typeof version === 'number') compare('version', version, String(version) === namedVersion, called);
  return mismatches;
}

function metadataOf(detail: unknown): { name?: unknown; version?: unknown; service?: unknown } {
  const { metadata } = (detail ?? {}) as { metadata?: unknown };
  return typeof metadata === 'object' && metadata !== null ? metadata : {};
}
