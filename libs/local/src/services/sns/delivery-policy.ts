import { httpEndpoints, type RetryPolicy, readRetryPolicy } from './delivery/retry-policy.ts';

/** How messages are delivered to an HTTP endpoint. */
export interface DeliveryPolicy {
  healthyRetryPolicy: RetryPolicy;
  requestPolicy?: { headerContentType: string } | undefined;
}

const contentTypes = new Set([
  ...['application/json', 'application/octet-stream', 'application/soap+xml', 'application/x-www-form-urlencoded'],
  ...['application/xml', 'text/css', 'text/csv', 'text/html', 'text/plain', 'text/xml'],
]);

/**
 * Reads the delivery policy of a subscription.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html#creating-delivery-policy
 *
 * @throws Error with the reason why it is not valid
 */
export function readDeliveryPolicy(text: string): DeliveryPolicy {
  const { healthyRetryPolicy, requestPolicy, ...others } = parsed(text);
  const unknown = Object.keys(others)[0];
  if (unknown === 'throttlePolicy') throw new Error('throttlePolicy is not available on this machine');
  if (unknown !== undefined) throw new Error(`Unexpected JSON member: ${unknown}`);
  const type = (requestPolicy as { headerContentType?: unknown } | undefined)?.headerContentType;
  if (requestPolicy !== undefined && !contentTypes.has(String(type).split(';')[0]?.trim() ?? '')) {
    throw new Error('requestPolicy.headerContentType is not a supported content type');
  }
  return {
    healthyRetryPolicy: healthyRetryPolicy === undefined ? httpEndpoints : readRetryPolicy(healthyRetryPolicy),
    ...(requestPolicy !== undefined && { requestPolicy: { headerContentType: String(type) } }),
  };
}

/** Of a topic: the defaults of its HTTP subscriptions. @throws Error with the reason why it is not valid */
export function readTopicDeliveryPolicy(text: string): { policy: string | undefined; overrides: boolean } {
  const { http = {}, ...others } = parsed(text) as { http?: Record<string, unknown> };
  if (Object.keys(others).length > 0)
    throw new Error('Unexpected JSON member: a delivery policy of a topic has only http');
  const { defaultHealthyRetryPolicy, defaultRequestPolicy, disableSubscriptionOverrides = false, ...rest } = http;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw new Error(`http.${unknown} is not available on this machine`);
  const policy = JSON.stringify({ healthyRetryPolicy: defaultHealthyRetryPolicy, requestPolicy: defaultRequestPolicy });
  readDeliveryPolicy(policy);
  return { policy: policy === '{}' ? undefined : policy, overrides: disableSubscriptionOverrides === true };
}

/** The policy with what it does not say. One that is kept has been read before. */
export function effectivePolicy(text: string | undefined): DeliveryPolicy {
  return text === undefined ? { healthyRetryPolicy: httpEndpoints } : readDeliveryPolicy(text);
}

function parsed(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('failed to parse JSON.');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error('it must be a JSON object');
}
