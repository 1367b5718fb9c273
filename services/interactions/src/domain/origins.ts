import { ConfigurationError } from '@millrace/errors';

/** The word for a stage on which every origin may send. */
const ANY = 'any';

/** Whether a request may come from a page of this origin. */
export type OriginCheck = (origin: string | undefined) => boolean;

/**
 * Reads which pages may send views. A browser always names the page's origin, and no script in a page can change it; so views
 * of other shops' pages stay out. A client that is not a browser can say what it likes: against it there are the limits of
 * the route and of a session.
 * @param text origins with spaces between them, or `any`
 * @throws ConfigurationError when one of them is not an origin
 */
export function originCheck(text: string): OriginCheck {
  if (text === ANY) return () => true;
  const origins = text.split(' ');
  for (const origin of origins) {
    if (/^https?:\/\/[a-z0-9.-]+(:\d+)?$/.test(origin)) continue;
    throw new ConfigurationError('MILLRACE_INTERACTION_ORIGINS', 'origins such as https://shop.example, or any');
  }
  return (origin) => origin !== undefined && origins.includes(origin);
}
