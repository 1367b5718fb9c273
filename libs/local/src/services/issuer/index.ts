import type { JSONWebKeySet } from 'jose';
import { AwsError } from '../../core/aws-error.ts';
import type { AwsService } from '../../core/service.ts';
import { httpResourcesOf } from '../http-api/http-resources.ts';
import { issuerOf, jwtAuthorizersOf } from '../http-api/jwt-authorizer.ts';
import { Issuer, type IssuerAnswer, type IssuerRequest } from './issuer.ts';
import { provideSigningKey } from './signing-key.ts';

/** Stands in for the issuer of tokens that templates name. */
export interface LocalIssuer {
  url: string;
  /** The keys that its tokens can be verified with. */
  keys: JSONWebKeySet;
  answer: (request: IssuerRequest) => Promise<IssuerAnswer>;
}

/** The issuer of the tokens that the HTTP APIs take, below `/_local/issuer`. */
export const issuer: AwsService<LocalIssuer> = {
  name: 'issuer',
  resourceTypes: {},
  access: () => undefined,
  async start({ awsUrl, clock, dataDirectory }) {
    const key = await provideSigningKey(dataDirectory);
    const url = `${awsUrl}/_local/issuer`;
    let running: Issuer | undefined;
    return {
      handle: {
        url,
        keys: { keys: [key.publicJwk] },
        answer: async (request) => {
          if (!running) throw new AwsError('ServiceUnavailable', 'The issuer has not started yet', 503);
          return running.answer(request);
        },
      },
      activate: (stacks) => {
        const authorizers = stacks.flatMap((stack) => jwtAuthorizersOf(stack.name, httpResourcesOf(stack)));
        running = new Issuer({ key, url, clock, ...(issuerOf(authorizers) ?? { issuer: url, audiences: [] }) });
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
};
