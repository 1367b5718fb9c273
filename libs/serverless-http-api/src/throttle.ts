/** What a route takes from all callers together, as a token bucket. */
export interface Throttle {
  /** Requests per second in the long run. */
  rate: number;
  /** Requests at once. */
  burst: number;
}

/** The shape osls checks. The values are checked by `throttleProblem`, which can say why. */
export const throttleSchema = {
  type: 'object',
  properties: { rate: { type: 'number' }, burst: { type: 'number' } },
  required: ['rate', 'burst'],
  additionalProperties: false,
};

/** What is wrong with the values, with the key; undefined when nothing is. */
export function throttleProblem({ rate, burst }: Throttle): { key: keyof Throttle; problem: string } | undefined {
  if (!(rate > 0)) {
    return { key: 'rate', problem: `is ${rate} requests per second, so every request would be answered 429` };
  }
  if (!Number.isInteger(burst) || burst < 1) {
    return { key: 'burst', problem: `is ${burst}, but must be a whole number of requests from 1 up` };
  }
  return undefined;
}

/**
 * As a stage's route settings say it.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigatewayv2-stage-routesettings.html
 */
export function routeSettings({ rate, burst }: Throttle): {
  ThrottlingBurstLimit: number;
  ThrottlingRateLimit: number;
} {
  return { ThrottlingBurstLimit: burst, ThrottlingRateLimit: rate };
}
