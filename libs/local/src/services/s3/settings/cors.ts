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
