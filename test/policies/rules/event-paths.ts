import type { CompiledService } from '../compiled-workspace.ts';
import type { Finding, Rule } from '../rule.ts';
import { at, entriesOf, isOnDefaultBus, isSame, list, referenceTo, sourceTypeOf } from '../template.ts';

/** From the bus to a function, and from an address to a function: each part is there, and leads to the next. */
export const eventPaths: Rule = {
  name: 'event-paths',
  why: 'a queue that is not emptied, or a route without a function, is silent until its events are too old',
  check(service) {
    return [...queuePaths(service), ...streamPaths(service), ...routePaths(service), ...busParts(service)];
  },
};

function queuePaths(service: CompiledService): Finding[] {
  // Rules on the default bus fill dead-letter queues, which the rule `state-machines` looks at.
  const fed = entriesOf(service, 'AWS::Events::Rule')
    .filter(({ properties }) => !isOnDefaultBus(properties))
    .flatMap(({ properties }) => list(properties.Targets).map((target) => referenceTo(at(target, 'Arn'))));
  const mappings = entriesOf(service, 'AWS::Lambda::EventSourceMapping');
  const drained = mappings.map(({ properties }) => referenceTo(properties.EventSourceArn));
  // Partners fill the queues of pipes.
  const piped = entriesOf(service, 'AWS::Pipes::Pipe').map(({ properties }) => referenceTo(properties.Source));
  return entriesOf(service, 'AWS::SQS::Queue').flatMap(({ id, properties }): Finding[] => {
    const count = (values: unknown[]) => values.filter((each) => each === id).length;
    const [feeds, drains] = [count(fed), count(drained)];
    const wanted = properties.RedrivePolicy === undefined || piped.includes(id) ? 0 : 1;
    if (feeds === wanted && drains === wanted) return [];
    return [{ resource: id, problem: `${feeds} rules feed it and ${drains} mappings empty it, not ${wanted} each` }];
  });
}

/** Whether each stream goes to one function, which no queue feeds as well. */
function streamPaths(service: CompiledService): Finding[] {
  const mappings = entriesOf(service, 'AWS::Lambda::EventSourceMapping');
  const busy = mappings.map(({ properties }) => referenceTo(properties.FunctionName));
  const sources = mappings.map(({ properties }) => referenceTo(properties.EventSourceArn));
  return mappings.flatMap(({ id, properties }): Finding[] => {
    const type = sourceTypeOf(properties.EventSourceArn, service);
    const attribute = at(properties.EventSourceArn, 'Fn::GetAtt', '1');
    const isSource =
      type === 'AWS::Kinesis::Stream' || attribute === (type === 'AWS::DynamoDB::Table' ? 'StreamArn' : 'Arn');
    const problems = [
      ...(isSource && type !== undefined
        ? []
        : [`EventSourceArn is ${JSON.stringify(properties.EventSourceArn)}, not a queue or a stream`]),
      ...(busy.filter((each) => each === referenceTo(properties.FunctionName)).length > 1
        ? ['its function has another mapping']
        : []),
      ...(sources.filter((each) => each === referenceTo(properties.EventSourceArn)).length > 1
        ? ['its source has another mapping']
        : []),
    ];
    return problems.map((problem) => ({ resource: id, problem }));
  });
}

function routePaths(service: CompiledService): Finding[] {
  const apis = entriesOf(service, 'AWS::ApiGatewayV2::Api');
  const routes = entriesOf(service, 'AWS::ApiGatewayV2::Route');
  const integrations = entriesOf(service, 'AWS::ApiGatewayV2::Integration');
  const callers = entriesOf(service, 'AWS::Lambda::Permission').map(({ properties }) =>
    referenceTo(properties.FunctionName),
  );
  const target = (id: string) => ({ 'Fn::Join': ['/', ['integrations', { Ref: id }]] });
  const aims = routes.map(({ properties }) => properties.Target);
  return [
    ...apis.slice(1).map(({ id }) => ({ resource: id, problem: 'is a second API of this service' })),
    ...routes
      .filter(
        ({ properties }) =>
          !/^(GET|POST|PUT|PATCH|DELETE)(\/([a-z-]+|\{[A-Za-z]+\}))+$/.test(
            String(properties.RouteKey).replace(' ', ''),
          ),
      )
      // $default and ANY take whatever comes.
      .map(({ id, properties }) => ({
        resource: id,
        problem: `RouteKey is ${properties.RouteKey}, not a method and a path`,
      })),
    ...routes
      .filter(({ properties }) => !integrations.some(({ id }) => isSame(properties.Target, target(id))))
      .map(({ id, properties }) => ({
        resource: id,
        problem: `Target is ${JSON.stringify(properties.Target)}, not an integration`,
      })),
    ...routes
      .filter(({ properties }) => aims.filter((aim) => isSame(aim, properties.Target)).length > 1)
      .map(({ id }) => ({ resource: id, problem: 'shares its integration with another route' })),
    ...integrations
      .filter(({ id }) => !aims.some((aim) => isSame(aim, target(id))))
      .map(({ id }) => ({ resource: id, problem: 'no route leads to it' })),
    ...integrations
      .filter(({ properties }) => !callers.includes(referenceTo(properties.IntegrationUri)))
      .map(({ id }) => ({ resource: id, problem: 'no AWS::Lambda::Permission lets the API call its function' })),
    ...integrations
      .filter(({ id, properties }) =>
        integrations.some(
          (other) =>
            other.id < id && referenceTo(other.properties.IntegrationUri) === referenceTo(properties.IntegrationUri),
        ),
      )
      .map(({ id }) => ({
        resource: id,
        problem: 'another integration has its function: one of two routes is answered wrongly',
      })),
    ...(apis.length > 0 && entriesOf(service, 'AWS::ApiGatewayV2::Stage').length !== 1
      ? [{ resource: apis[0]?.id ?? '', problem: 'has not one stage' }]
      : []),
  ];
}

/** What the bus and the alarm topic are of no use without. */
function busParts(service: CompiledService): Finding[] {
  const archived = entriesOf(service, 'AWS::Events::Archive').map(({ properties }) =>
    referenceTo(properties.SourceArn),
  );
  const subscribed = entriesOf(service, 'AWS::SNS::Subscription').map(({ properties }) =>
    referenceTo(properties.TopicArn),
  );
  return [
    ...entriesOf(service, 'AWS::Events::EventBus')
      // Variants can be made again of the events behind them, and those are archived.
      .filter(({ id, properties }) => !archived.includes(id) && !String(properties.Name).endsWith('-analytics'))
      .map(({ id }) => ({ resource: id, problem: 'no archive keeps its events: nothing can be replayed' })),
    ...entriesOf(service, 'AWS::SNS::Topic')
      .filter(({ id }) => !subscribed.includes(id))
      .map(({ id }) => ({ resource: id, problem: 'nobody is subscribed to it' })),
  ];
}
