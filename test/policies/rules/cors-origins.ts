import type { Rule } from '../rule.ts';
import { at, entriesOf, list } from '../template.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html */
export const corsOrigins: Rule = {
  name: 'cors-origins',
  why: "any page that a customer opens could use the customer's token and read the answers",
  check(service) {
    return entriesOf(service, 'AWS::ApiGatewayV2::Api').flatMap(({ id, properties }) =>
      list(at(properties.CorsConfiguration, 'AllowOrigins'))
        .filter((origin) => String(origin).includes('*'))
        .map((origin) => ({ resource: id, problem: `CorsConfiguration.AllowOrigins has "${origin}"` })),
    );
  },
};
