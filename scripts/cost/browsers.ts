import { randomUUID } from 'node:crypto';
import type { Runtime } from '@millrace/local';
import type { Load } from './load.ts';
import { plannedView, VIEWS_OF_A_REQUEST, VIEWS_OF_A_VISIT } from './view-mix.ts';

/** The shop's pages, as serverless.stages.yml names them: other origins are refused at `prod`. */
const ORIGIN = 'https://shop.millrace.example';

/** Browsers that tell what visitors look at. */
export class Browsers implements Load {
  readonly #runtime: Runtime;
  readonly #clients: number;

  constructor({ runtime, clients }: { runtime: Runtime; clients: number }) {
    this.#runtime = runtime;
    this.#clients = clients;
  }

  async prepare(): Promise<void> {}

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
      headers: { 'content-type': 'application/json', origin: ORIGIN },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (response.status === 404)
      throw new Error('This stage takes no views: interactions is off in serverless.stages.yml');
    if (response.status !== 202) throw new Error(`POST /interactions answered ${response.status}: ${text}`);
  }
}
