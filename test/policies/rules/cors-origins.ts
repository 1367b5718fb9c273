import type { Rule } from '../rule.ts';
import { at, entriesOf, list } from '../template.ts';

const known = ['AllowOrigins', 'AllowHeaders', 'AllowMethods', 'ExposeHeaders', 'MaxAge'];

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html */
export const corsOrigins: Rule = {
  name: 'cors-origins',
  why: "any page that a customer opens could use the customer's token and read the answers",
  check(service, { parameters }) {
    const allowed = list(at(parameters.cors, 'allowedOrigins'));
    return entriesOf(service, 'AWS::ApiGatewayV2::Api').flatMap(({ id, properties }) => {
      const { CorsConfiguration: cors } = properties;
      if (cors === undefined)
        return parameters.cors === false ? [] : [{ resource: id, problem: 'has no CorsConfiguration' }];
      const origins = list(at(cors, 'AllowOrigins'));
      const age = Number(at(cors, 'MaxAge'));
      return [
        // Also "null", which is the origin of a sandboxed frame of any page, and a page without TLS.
        ...origins
          .filter((origin) => !/^https:\/\/[a-z0-9.-]+(:\d+)?$/.test(String(origin)) || !allowed.includes(origin))
          .map((origin) => `CorsConfiguration.AllowOrigins has "${origin}"`),
        ...(origins.length === 0 ? ['CorsConfiguration.AllowOrigins is empty'] : []),
        // AllowCredentials: a browser would send cookies, and with them other pages could act for the customer.
        ...Object.keys(Object(cors))
          .filter((key) => !known.includes(key))
          .map((key) => `CorsConfiguration has ${key}`),
        ...['AllowHeaders', 'AllowMethods', 'ExposeHeaders'].flatMap((key) =>
          list(at(cors, key))
            .filter((value) => !/^[A-Za-z-]+$/.test(String(value)))
            .map((value) => `CorsConfiguration.${key} has "${value}"`),
        ),
        ...missing(list(at(cors, 'AllowHeaders')), list(at(parameters.cors, 'allowedHeaders')), 'AllowHeaders'),
        ...missing(list(at(cors, 'AllowMethods')), list(at(parameters.cors, 'allowedMethods')), 'AllowMethods'),
        ...missing(
          list(at(cors, 'ExposeHeaders')),
          list(at(parameters.cors, 'exposedResponseHeaders')),
          'ExposeHeaders',
        ),
        // Browsers keep an answer for two hours at most, and a wrong one has to go.
        ...(age >= 60 && age <= 7200 ? [] : [`CorsConfiguration.MaxAge is ${at(cors, 'MaxAge')}`]),
      ].map((problem) => ({ resource: id, problem }));
    });
  },
};

/** What differs from the stage's own list, either way. */
function missing(actual: unknown[], wanted: unknown[], key: string): string[] {
  return [
    ...wanted.filter((value) => !actual.includes(value)).map((value) => `CorsConfiguration.${key} lacks "${value}"`),
    ...actual.filter((value) => !wanted.includes(value)).map((value) => `CorsConfiguration.${key} has "${value}"`),
  ];
}
