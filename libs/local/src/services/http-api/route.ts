import type { Cors } from './cors.ts';
import type { RouteAuthorization } from './jwt-authorization.ts';
import type { RouteLimit } from './token-bucket.ts';

/** A route of an HTTP API. */
export interface Route {
  /** `GET /orders/{id}`, `ANY /{proxy+}` or `$default`. */
  routeKey: string;
  /** Who declared it, for messages. */
  service: string;
  apiId: string;
  functionArn: string;
  timeoutMs: number;
  /** Without it anybody may call the route. */
  authorization: RouteAuthorization | undefined;
  /** Of the route's API. */
  cors: Cors | undefined;
  limit: RouteLimit | undefined;
  /** Of the API's stage. */
  stageVariables: Record<string, string> | undefined;
}

/** The only stage there is here: its name is not part of the path. */
export const STAGE = '$default';

export interface RouteMatch {
  route: Route;
  pathParameters: Record<string, string>;
}

/** Two services, or two routes of one, would answer the same requests. */
export class RouteCollisionError extends Error {
  override readonly name = 'RouteCollisionError';
}

interface CompiledRoute {
  route: Route;
  method: string;
  segments: string[];
}

const DEFAULT = '$default';

/**
 * Finds the route of a request as API Gateway does: the most specific path wins (fixed before variable before greedy, from the left),
 * then a method before ANY, and `$default` takes what nothing else does.
 *
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
 */
export class RouteTable {
  readonly #routes: CompiledRoute[];
  readonly #default: Route | undefined;

  /** @throws RouteCollisionError when two routes are the same but for the names of their variables; Error for a key that is none */
  constructor(routes: Route[]) {
    const seen = new Map<string, Route>();
    for (const route of routes) {
      const signature = route.routeKey.replaceAll(/\{[^}+]+\}/g, '{}').replaceAll(/\{[^}+]+\+\}/g, '{+}');
      const other = seen.get(signature);
      if (other) {
        throw new RouteCollisionError(
          `Route "${route.routeKey}" of ${route.service} collides with "${other.routeKey}" of ${other.service}`,
        );
      }
      seen.set(signature, route);
    }
    this.#default = routes.find(({ routeKey }) => routeKey === DEFAULT);
    this.#routes = routes
      .filter(({ routeKey }) => routeKey !== DEFAULT)
      .map(compile)
      .sort(bySpecificity);
  }

  /** Takes the method and the path's decoded segments (`[]` for `/`). */
  match(method: string, segments: string[]): RouteMatch | undefined {
    for (const { route, method: wanted, segments: pattern } of this.#routes) {
      if (wanted !== 'ANY' && wanted !== method) continue;
      const pathParameters = matchSegments(pattern, segments);
      if (pathParameters) return { route, pathParameters };
    }
    return this.#default && { route: this.#default, pathParameters: {} };
  }

  /** Takes a path's decoded segments, and finds a route of any method. */
  matchPath(segments: string[]): Route | undefined {
    return this.#routes.find(({ segments: pattern }) => matchSegments(pattern, segments))?.route;
  }
}

function compile(route: Route): CompiledRoute {
  const [, method, path] = /^([A-Z]+) (\/.*)$/.exec(route.routeKey) ?? [];
  const segments = path?.split('/').slice(1) ?? [];
  const greedyAt = segments.findIndex(isGreedy);
  if (method === undefined || path === undefined || (greedyAt !== -1 && greedyAt !== segments.length - 1)) {
    throw new Error(
      `Route "${route.routeKey}" of ${route.service} is not valid: expected "METHOD /path", with {name+} only at its end`,
    );
  }
  return { route, method, segments: path === '/' ? [] : segments };
}

const isGreedy = (segment: string): boolean => segment.startsWith('{') && segment.endsWith('+}');
const isVariable = (segment: string): boolean => segment.startsWith('{') && segment.endsWith('}');

function rank(segment: string | undefined): number {
  if (segment === undefined || isGreedy(segment)) return 2;
  return isVariable(segment) ? 1 : 0;
}

function bySpecificity(a: CompiledRoute, b: CompiledRoute): number {
  for (let index = 0; index < Math.max(a.segments.length, b.segments.length); index += 1) {
    const difference = rank(a.segments[index]) - rank(b.segments[index]);
    if (difference !== 0) return difference;
  }
  return Number(a.method === 'ANY') - Number(b.method === 'ANY');
}

function matchSegments(pattern: string[], segments: string[]): Record<string, string> | undefined {
  const parameters: Record<string, string> = Object.create(null);
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index];
    if (segment === undefined) return undefined;
    if (isGreedy(part)) {
      if (segments.length === pattern.length && segment === '') return undefined;
      parameters[part.slice(1, -2)] = segments.slice(index).join('/');
      return parameters;
    }
    if (isVariable(part)) {
      if (segment === '') return undefined;
      parameters[part.slice(1, -1)] = segment;
    } else if (part !== segment) {
      return undefined;
    }
  }
  return segments.length === pattern.length ? parameters : undefined;
}
