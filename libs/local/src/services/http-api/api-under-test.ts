import type { declaredService } from './declared-service.ts';
import { type HttpApi, type HttpApiOptions, startHttpApi } from './http-api.ts';

/** What a function of a test gets to see. */
export interface SeenEvent {
  routeKey: string;
  requestContext: { authorizer?: { jwt: { claims: Record<string, string>; scopes: string[] | null } } };
  body?: string;
}

/** HTTP APIs whose functions answer what the test says. */
export class ApiUnderTest {
  /** What the functions got, oldest first. */
  readonly events: SeenEvent[] = [];
  readonly warnings: string[] = [];
  /** What every function answers. */
  answer: unknown = { statusCode: 200, body: 'fine' };
  #api: HttpApi | undefined;

  /** @returns the URL */
  async start(services: ReturnType<typeof declaredService>[], options: Partial<HttpApiOptions> = {}): Promise<string> {
    this.#api = await startHttpApi({
      port: 0,
      accountId: '000000000000',
      services,
      invoke: async (_functionArn, payload) => {
        this.events.push(JSON.parse(payload));
        return { requestId: 'r', logTail: '', payload: JSON.stringify(this.answer) };
      },
      onWarning: (message) => this.warnings.push(message),
      ...options,
    });
    return this.#api.url;
  }

  async stop(): Promise<void> {
    await this.#api?.stop();
  }
}
