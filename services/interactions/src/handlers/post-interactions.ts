import { variableFrom } from '@millrace/errors';
import { HttpError, publicEndpoint } from '@millrace/http';
import { interactionLogFromEnvironment } from '../adapters/interaction-log.ts';
import { originCheck } from '../domain/origins.ts';
import { viewsOf, viewsRequest } from '../domain/views-request.ts';

const log = interactionLogFromEnvironment();
const mayComeFrom = originCheck(variableFrom('MILLRACE_INTERACTION_ORIGINS', 'origins with spaces between, or any'));

/** As much as a browser sends while its page is closed. https://fetch.spec.whatwg.org/#http-network-or-cache-fetch */
const MAX_BODY_BYTES = 64 * 1024;
const RETRY_AFTER_SECONDS = 1;

/** `POST /interactions`: views of a browser, without a token. They are in the log when it answers. */
export const handler = publicEndpoint(
  { body: viewsRequest, maxBodyBytes: MAX_BODY_BYTES },
  async ({ body, origin, logger }) => {
    if (!mayComeFrom(origin)) {
      const detail = 'Only pages of the shop may send views';
      throw new HttpError(403, 'ORIGIN_NOT_ALLOWED', detail, [{ field: 'Origin', detail }]);
    }
    const unstored = await log.append(viewsOf(body, new Date()));
    const stored = body.views.length - unstored.length;
    if (unstored.length > 0) logger.warn('Views were not stored', { stored, unstored: unstored.length });
    if (stored === 0) {
      const detail = 'The views could not be stored; send them again in a moment';
      throw new HttpError(503, 'VIEWS_NOT_STORED', detail, [], { retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    return {
      status: 202,
      body: { stored, unstored: unstored.map(({ id }) => id) },
      ...(unstored.length > 0 && { headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } }),
    };
  },
);
