import { randomUUID } from 'node:crypto';
import { AwsError } from '../../../core/aws-error.ts';
import { page } from '../page.ts';
import { type Input, optionalChoice, optionalInteger, optionalString, requiredString } from '../request-parameters.ts';
import type { Connection, Connections } from './connections.ts';

const httpMethods = ['HEAD', 'POST', 'PATCH', 'DELETE', 'PUT', 'GET', 'OPTIONS'] as const;

/** An API destination. Times are in milliseconds since the epoch. */
export interface ApiDestination {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  description: string | undefined;
  connectionArn: string;
  endpoint: string;
  httpMethod: (typeof httpMethods)[number];
  /** Requests per second. */
  rateLimit: number;
  modifiedAt: number;
}

export interface ApiDestinationsOptions {
  accountId: string;
  region: string;
  now: () => number;
  isEndpoint: (url: string) => boolean;
}

const nameConstraint = { maximumLength: 64, pattern: /^[.\-_A-Za-z0-9]+$/ };
const arnConstraint = {
  maximumLength: 1600,
  pattern: /^arn:aws([a-z]|-)*:events:([a-z]|\d|-)*:([0-9]{12})?:connection\/[.\-_A-Za-z0-9]+\/[-A-Za-z0-9]+$/,
};
const defaultRateLimit = 300;

/**
 * The API destinations of one account and region.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
 */
export class ApiDestinations {
  readonly #options: ApiDestinationsOptions;
  readonly #connections: Connections;
  readonly #destinations = new Map<string, ApiDestination>();

  constructor(options: ApiDestinationsOptions, connections: Connections) {
    this.#options = options;
    this.#connections = connections;
  }

  /** The API destination with an ARN, if it is there. */
  find(arn: string): ApiDestination | undefined {
    const destination = this.#destinations.get(arn.split('/')[1] ?? '');
    return destination?.arn === arn ? destination : undefined;
  }

  /** The connection of an API destination, if it is there. */
  connectionOf({ connectionArn }: ApiDestination): Connection | undefined {
    return this.#connections.find(connectionArn);
  }

  /**
   * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateApiDestination.html
   * @param id the last part of the ARN
   */
  createApiDestination(input: Input, id: string = randomUUID()): object {
    const name = requiredString(input, 'Name', nameConstraint);
    const { connectionArn, endpoint, httpMethod, description, rateLimit } = this.#read(input);
    if (connectionArn === undefined) throw missing('connectionArn');
    if (endpoint === undefined) throw missing('invocationEndpoint');
    if (httpMethod === undefined) throw missing('httpMethod');
    if (this.#destinations.has(name)) {
      throw new AwsError('ResourceAlreadyExistsException', `An api-destination '${name}' already exists.`);
    }
    const { accountId, region, now } = this.#options;
    const destination: ApiDestination = {
      name,
      arn: `arn:aws:events:${region}:${accountId}:api-destination/${name}/${id}`,
      createdAt: now(),
      description,
      connectionArn,
      endpoint,
      httpMethod,
      rateLimit: rateLimit ?? defaultRateLimit,
      modifiedAt: now(),
    };
    this.#destinations.set(name, destination);
    return this.#summary(destination);
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateApiDestination.html */
  updateApiDestination(input: Input): object {
    const destination = this.#destination(input, 'update');
    const given = Object.entries(this.#read(input)).filter(([, value]) => value !== undefined);
    Object.assign(destination, Object.fromEntries(given), { modifiedAt: this.#options.now() });
    return this.#summary(destination);
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteApiDestination.html */
  deleteApiDestination(input: Input): object {
    this.#destinations.delete(this.#destination(input, 'delete').name);
    return {};
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeApiDestination.html */
  describeApiDestination(input: Input): object {
    const destination = this.#destination(input, 'describe');
    return { ...this.#listed(destination), Description: destination.description };
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListApiDestinations.html */
  listApiDestinations(input: Input): object {
    const prefix = optionalString(input, 'NamePrefix', nameConstraint) ?? '';
    const connectionArn = optionalString(input, 'ConnectionArn', arnConstraint);
    const matching = [...this.#destinations.values()].filter(
      (destination) =>
        destination.name.startsWith(prefix) &&
        (connectionArn === undefined || destination.connectionArn === connectionArn),
    );
    const { items, next } = page(matching, ({ name }) => name, input);
    return { ApiDestinations: items.map((destination) => this.#listed(destination)), ...next };
  }

  /** What makes the API destinations again: each with the input of CreateApiDestination and its id. */
  kept(): { name: string; id: string; input: Input }[] {
    return [...this.#destinations.values()].map((destination) => ({
      name: destination.name,
      id: destination.arn.slice(destination.arn.lastIndexOf('/') + 1),
      input: {
        Name: destination.name,
        Description: destination.description,
        ConnectionArn: destination.connectionArn,
        InvocationEndpoint: destination.endpoint,
        HttpMethod: destination.httpMethod,
        InvocationRateLimitPerSecond: destination.rateLimit,
      },
    }));
  }

  #read(input: Input) {
    const connectionArn = optionalString(input, 'ConnectionArn', arnConstraint);
    if (connectionArn !== undefined && !this.#connections.find(connectionArn)) {
      const name = connectionArn.split('/')[1];
      throw new AwsError('ResourceNotFoundException', `Connection '${name}' does not exist.`);
    }
    const endpoint = optionalString(input, 'InvocationEndpoint', { maximumLength: 2048 });
    if (endpoint !== undefined && !this.#options.isEndpoint(endpoint)) {
      throw new AwsError(
        'ValidationException',
        'Parameter InvocationEndpoint is not valid. Reason: it must be an https URL; on this machine http will do.',
      );
    }
    return {
      description: optionalString(input, 'Description', { maximumLength: 512 }),
      connectionArn,
      endpoint,
      httpMethod: optionalChoice(input, 'HttpMethod', httpMethods),
      rateLimit: optionalInteger(input, 'InvocationRateLimitPerSecond', 1, 2 ** 31 - 1),
    };
  }

  #destination(input: Input, verb: string): ApiDestination {
    const name = requiredString(input, 'Name', nameConstraint);
    const destination = this.#destinations.get(name);
    if (destination) return destination;
    throw new AwsError(
      'ResourceNotFoundException',
      `Failed to ${verb} the api-destination(s). An api-destination '${name}' does not exist.`,
    );
  }

  #summary(destination: ApiDestination): object {
    const isActive = this.connectionOf(destination)?.state === 'AUTHORIZED';
    return {
      ApiDestinationArn: destination.arn,
      ApiDestinationState: isActive ? 'ACTIVE' : 'INACTIVE',
      CreationTime: destination.createdAt / 1000,
      LastModifiedTime: destination.modifiedAt / 1000,
    };
  }

  #listed(destination: ApiDestination): object {
    return {
      ...this.#summary(destination),
      Name: destination.name,
      ConnectionArn: destination.connectionArn,
      InvocationEndpoint: destination.endpoint,
      HttpMethod: destination.httpMethod,
      InvocationRateLimitPerSecond: destination.rateLimit,
    };
  }
}

function missing(member: string): AwsError {
  return new AwsError(
    'ValidationException',
    `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`,
  );
}
