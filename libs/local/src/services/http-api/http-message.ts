import type { JwtCaller } from './jwt-authorization.ts';

export interface HttpRequest {
  requestId: string;
  method: string;
  /** Decoded, as an HTTP API gives it. */
  path: string;
  /** Without `?`, still encoded. */
  rawQueryString: string;
  protocol: string;
  sourceIp: string;
  /** That the request came in on. */
  port: number;
  /** Names and values by turns, as they came: Node's other views drop or rewrite what comes twice. */
  rawHeaders: readonly string[];
  body: Buffer;
  /** Epoch milliseconds. */
  timeEpoch: number;
  /** Without one for a route that asks for none. */
  caller: JwtCaller | undefined;
}

export interface HttpResponse {
  status: number;
  headers: Record<string, string | string[]>;
  body: Buffer | string;
}
