import * as fc from 'fast-check';
import { type BusInput, busInputs } from './bus-inputs.ts';
import type { DeployedStage } from './deployed-stage.ts';
import { type HttpInput, httpInputs, hugeRequests, type Tokens } from './http-inputs.ts';
import { type PartnerInput, partnerInputs } from './partner-inputs.ts';
import { type PortInput, portInputs } from './port-inputs.ts';
import { type QueueInput, queueInputs } from './queue-inputs.ts';

export type HostileInput = HttpInput | BusInput | QueueInput | PartnerInput | PortInput;

/** Which input it is: the seed of its chunk, and its place there. */
export interface InputReference {
  seed: number;
  place: number;
}

/** Inputs that are made and sent together. */
export const CHUNK = 200;

/** Makes inputs from seeds. The same seed makes the same ones, about the same orders. */
export class Inputs {
  readonly #arbitrary: fc.Arbitrary<HostileInput>;

  /** @param urls of the runtime: clients name its ports in `Host` */
  constructor(
    stage: DeployedStage,
    tokens: Tokens,
    orderIds: readonly string[],
    urls: { apiUrl: string; awsUrl: string },
  ) {
    const { consumers, contracts } = stage;
    const apiHost = new URL(urls.apiUrl).host;
    this.#arbitrary = fc.oneof(
      { weight: 4_480, arbitrary: httpInputs(tokens, orderIds, apiHost) },
      { weight: 20, arbitrary: hugeRequests(tokens, apiHost) },
      { weight: 2_300, arbitrary: busInputs(stage, orderIds) },
      { weight: 2_700, arbitrary: queueInputs(consumers, contracts, orderIds) },
      { weight: 200, arbitrary: partnerInputs() },
      { weight: 300, arbitrary: portInputs(new URL(urls.awsUrl).host) },
    );
  }

  /** The inputs of one chunk. */
  chunk(seed: number, size = CHUNK): HostileInput[] {
    return fc.sample(this.#arbitrary, { seed, numRuns: size });
  }

  at({ seed, place }: InputReference): HostileInput | undefined {
    return this.chunk(seed)[place];
  }
}
