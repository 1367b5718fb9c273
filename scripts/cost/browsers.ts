import { randomUUID } from 'node:crypto';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { Runtime } from '@millrace/local';
import type { Load } from './load.ts';
import { plannedView, VIEWS_OF_A_REQUEST, VIEWS_OF_A_VISIT } from './view-mix.ts';

/** Browsers that tell what visitors look at. */
export class Browsers implements Load {
  readonly #runtime: Runtime;
  readonly #stage: string;
  readonly #clients: number;
  /** Of the shop's pages. */
  #origin: string | undefined;

  constructor({ runtime, stage, clients }: { runtime: Runtime; stage: string; clients: number }) {
    this.#runtime = runtime;
    this.#stage = stage;
    this.#clients = clients;
  }

  /** Finds out whose pages may send views. Where any page may, it is a client without a page. */
  async prepare(): Promise<void> {
    const credentials = { accessKeyId: 'cost', secretAccessKey: 'local' };
    const client = new LambdaClient({ endpoint: this.#runtime.awsUrl, region: 'us-east-1', credentials });
    const FunctionName = `millrace-interactions-${this.#stage}-postInteractions`;
    const { Environment } = await client.send(new GetFunctionConfigurationCommand({ FunctionName }));
    client.destroy();
    const origins = Environment?.Variables?.MILLRACE_INTERACTION_ORIGINS ?? 'any';
    this.#origin = origins === 'any' ? undefined : origins.split(' ')[0];
  }

  /**
   * Sends views, each browser one request after the other.
   * @returns how long each request took, in ms
   * @throws Error when a request is refused, as all are at a stage without interactions
   */
  async run(count: number): Promise<number[]> {
    const latenciesMs: number[] = [];
    let sent = 0;
    const browser = async (): Promise<void> => {
      let sessionId = randomUUID();
      let ofVisit = 0;
      while (sent < count) {
        const views = Array.from({ length: Math.min(VIEWS_OF_A_REQUEST, count - sent) }, (_, index) => ({
          id: randomUUID(),
          ...plannedView(ofVisit + index),
        }));
        sent += views.length;
        ofVisit += views.length;
        const started = performance.now();
        await this.#send({ sessionId, views });
        latenciesMs.push(performance.now() - started);
        if (ofVisit >= VIEWS_OF_A_VISIT) {
          sessionId = randomUUID();
          ofVisit = 0;
        }
      }
    };
    await Promise.all(Array.from({ length: this.#clients }, browser));
    return latenciesMs;
  }

  close(): void {}

  async #send(body: object): Promise<void> {
    const response = await fetch(`${this.#runtime.apiUrl}/interactions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(this.#origin && { origin: this.#origin }) },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (response.status === 404)
      throw new Error('This stage takes no views: interactions is off in serverless.stages.yml');
    if (response.status !== 202) throw new Error(`POST /interactions answered ${response.status}: ${text}`);
  }
}
