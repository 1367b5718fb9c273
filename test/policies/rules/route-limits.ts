import type { Finding, Rule } from '../rule.ts';
import { at, type Entry, entriesOf, list, referenceTo } from '../template.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html */
export const routeLimits: Rule = {
  name: 'route-limits',
  why: "one route could take the whole account's requests, and run its functions for them",
  check(service, { parameters }) {
    const limits = { ThrottlingRateLimit: parameters.routeRate, ThrottlingBurstLimit: parameters.routeBurst };
    const routes = entriesOf(service, 'AWS::ApiGatewayV2::Route');
    const stages = entriesOf(service, 'AWS::ApiGatewayV2::Stage');
    const unlimited = routes.flatMap((route): Finding[] => {
      const key = String(route.properties.RouteKey);
      const own = stages.filter((stage) => apiOf(stage) === apiOf(route));
      if (own.length === 0) return [{ resource: route.id, problem: `${key}: no stage of this template serves it` }];
      return own
        .map(({ properties }) => at(properties.RouteSettings, key) ?? properties.DefaultRouteSettings)
        .filter((settings) => !isLimit(settings, limits))
        .map((settings) => ({ resource: route.id, problem: `${key}: its settings are ${JSON.stringify(settings)}` }));
    });
    const tooEarly = stages.flatMap((stage): Finding[] =>
      Object.keys((stage.properties.RouteSettings as object | undefined) ?? {}).flatMap((key) => {
        const route = routes.find((each) => each.properties.RouteKey === key && apiOf(each) === apiOf(stage));
        const waits = list(service.template.Resources?.[stage.id]?.DependsOn).includes(route?.id);
        // API Gateway refuses settings for a route that is not there yet.
        return waits ? [] : [{ resource: stage.id, problem: `RouteSettings of ${key} without DependsOn on its route` }];
      }),
    );
    const more = stages.flatMap((stage): Finding[] =>
      Object.entries((stage.properties.RouteSettings as object | undefined) ?? {})
        .filter(([key]) => !routes.some((route) => route.properties.RouteKey === key))
        .map(([key]) => ({ resource: stage.id, problem: `RouteSettings has ${key}, which is not a route` })),
    );
    const unsafe = stages
      .filter(({ properties }) => !isLimit(properties.DefaultRouteSettings, limits))
      .map(({ id, properties }) => ({
        resource: id,
        problem: `DefaultRouteSettings is ${JSON.stringify(properties.DefaultRouteSettings)}`,
      }));
    return [...unlimited, ...tooEarly, ...more, ...unsafe];
  },
};

function apiOf({ properties }: Entry): string | undefined {
  return referenceTo(properties.ApiId);
}

/** Between what a shop needs and what the stage allows, and nothing else: DataTraceEnabled would log bodies. */
function isLimit(settings: unknown, limits: Readonly<Record<string, unknown>>): boolean {
  const { DetailedMetricsEnabled = false, ...others } = Object(settings) as Record<string, unknown>;
  return (
    DetailedMetricsEnabled === false &&
    Object.keys(others).length === Object.keys(limits).length &&
    Object.entries(limits).every(([key, most]) => Number(others[key]) >= 10 && Number(others[key]) <= Number(most))
  );
}
