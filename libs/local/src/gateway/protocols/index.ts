import type { IncomingHttpHeaders } from 'node:http';
import type { AwsService, Protocol, ProtocolName } from '../../core/service.ts';
import { json } from './json.ts';
import { query } from './query.ts';
import { rest, restXml } from './rest.ts';

const byName: Readonly<Record<ProtocolName, Protocol>> = { json, query, rest, restXml };

/**
 * Chooses the protocol of a request among those of its service.
 * @param service undefined where it is not known: errors are then answered as the client is most likely to read them
 */
export function protocolOf(service: AwsService | undefined, headers: IncomingHttpHeaders): Protocol {
  const spoken = (service?.protocols ?? ['json', 'query']).map((one) => (typeof one === 'string' ? byName[one] : one));
  return spoken.find((protocol) => protocol.matches(headers)) ?? spoken[0] ?? json;
}
