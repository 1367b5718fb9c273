import { s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { Structure } from '../protocol/xml-shape.ts';

export interface CorsRule {
  ID?: string;
  AllowedMethods: string[];
  AllowedOrigins: string[];
  AllowedHeaders?: string[];
  ExposeHeaders?: string[];
  MaxAgeSeconds?: number;
}

const methods = new Set(['GET', 'PUT', 'HEAD', 'POST', 'DELETE']);

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
 * @throws S3Error MalformedXML or InvalidRequest
 */
export function checkCors({ CORSRules = [] }: Structure): void {
  const rules = CORSRules as CorsRule[];
  if (rules.length === 0 || rules.length > s3Limits.corsRules) {
    throw s3Error('MalformedXML', `A CORS configuration must have between 1 and ${s3Limits.corsRules} rules.`);
  }
  for (const { AllowedMethods, AllowedOrigins, AllowedHeaders = [] } of rules) {
    const unknown = AllowedMethods.find((method) => !methods.has(method));
    if (unknown !== undefined) {
      throw s3Error(
        'InvalidRequest',
        `Found unsupported HTTP method in CORS config. Unsupported method is ${unknown.slice(0, 50)}`,
      );
    }
    const wild = [...AllowedOrigins, ...AllowedHeaders].find((text) => text.split('*').length > 2);
    if (wild !== undefined)
      throw s3Error('InvalidRequest', `"${wild.slice(0, 200)}" can not have more than one wildcard.`);
  }
}

/**
 * The headers with which a request of a web page is answered.
 *
 * @param requested of a preflight: the headers that the page wants to send
 * @returns undefined where no rule allows the request
 */
export function corsHeaders(
  rules: readonly CorsRule[],
  { origin, method, requested }: { origin: string; method: string; requested?: readonly string[] },
): Record<string, string> | undefined {
  for (const rule of rules) {
    const allowedOrigin = rule.AllowedOrigins.find((pattern) => matchesPattern(pattern, origin));
    if (allowedOrigin === undefined || !rule.AllowedMethods.includes(method)) continue;
    const allows = (header: string): boolean =>
      (rule.AllowedHeaders ?? []).some((pattern) => matchesPattern(pattern.toLowerCase(), header.toLowerCase()));
    if (requested && !requested.every(allows)) continue;
    const isAny = allowedOrigin === '*';
    return {
      'access-control-allow-origin': isAny ? '*' : origin,
      'access-control-allow-methods': rule.AllowedMethods.join(', '),
      vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
      ...(!isAny && { 'access-control-allow-credentials': 'true' }),
      ...(requested && requested.length > 0 && { 'access-control-allow-headers': requested.join(', ') }),
      ...(rule.ExposeHeaders && { 'access-control-expose-headers': rule.ExposeHeaders.join(', ') }),
      ...(rule.MaxAgeSeconds !== undefined && { 'access-control-max-age': String(rule.MaxAgeSeconds) }),
    };
  }
  return undefined;
}

function matchesPattern(pattern: string, text: string): boolean {
  const [start = '', end] = pattern.split('*');
  if (end === undefined) return pattern === text;
  return text.length >= start.length + end.length && text.startsWith(start) && text.endsWith(end);
}
