import type { IncomingHttpHeaders } from 'node:http';
import type { AwsService } from '../../core/service.ts';
import { targetOf } from '../http-request.ts';
import { json } from './json.ts';
import type { Protocol } from './protocol.ts';
import { query } from './query.ts';
import { rest, restXml } from './rest.ts';

const FORM = 'application/x-www-form-urlencoded';

/**
 * Chooses the protocol of a request. A service of the JSON protocol may have had the query protocol before, as SQS has.
 * @param service undefined where it is not known: errors are then answered as the client is most likely to read them
 */
export function protocolOf(service: AwsService | undefined, headers: IncomingHttpHeaders): Protocol {
  if (service?.protocol === 'rest') return service.hasXml ? restXml : rest;
  const isForm = (headers['content-type'] ?? '').startsWith(FORM);
  if (service?.protocol === 'query') return query;
  return isForm && !targetOf(headers) ? query : json;
}
