import { randomUUID } from 'node:crypto';
import { AwsError } from '../../../core/aws-error.ts';
import type { Clock } from '../../../core/clock.ts';
import type { SendRequest } from '../../../core/outgoing-http.ts';
import { page } from '../page.ts';
import {
  type Input,
  optionalChoice,
  optionalString,
  optionalStructure,
  requiredString,
  structure,
} from '../request-parameters.ts';
import {
  type AuthorizationType,
  authorizationTypes,
  type ConnectionParameters,
  mergedParameters,
  noPrivateEndpoints,
  readConnectionParameters,
  shownParameters,
} from './authorization-parameters.ts';
import { OAuthToken } from './oauth-tokens.ts';

const connectionStates = [
  ...([
    'CREATING',
    'UPDATING',
    'DELETING',
    'AUTHORIZED',
    'DEAUTHORIZED',
    'AUTHORIZING',
    'DEAUTHORIZING',
    'ACTIVE',
  ] as const),
  'FAILED_CONNECTIVITY' as const,
];
type ConnectionState = (typeof connectionStates)[number];

/** A connection. Times are in milliseconds since the epoch. */
export interface Connection {
  readonly name: string;
  readonly arn: string;
  readonly secretArn: string;
  readonly createdAt: number;
  description: string | undefined;
  authorizationType: AuthorizationType;
  /** As they were given, with secrets. */
  authParameters: Input;
  /** Undefined once it is deauthorized. */
  parameters: ConnectionParameters | undefined;
  token: OAuthToken | undefined;
  state: ConnectionState;
  stateReason: string | undefined;
  modifiedAt: number;
  authorizedAt: number | undefined;
}

export interface ConnectionsOptions {
  accountId: string;
  region: string;
  clock: Pick<Clock, 'now' | 'setTimer'>;
  send: SendRequest;
  /** True for a URL that a token may be asked of, or events be sent to. */
  isEndpoint: (url: string) => boolean;
}

const nameConstraint = { maximumLength: 64, pattern: /^[.\-_A-Za-z0-9]+$/ };

/**
 * The connections of one account and region. Secrets are shown nowhere.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #connections = new Map<string, Connection>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** The connection with an ARN, if it is there. */
  find(arn: string): Connection | undefined {
    const connection = this.#connections.get(arn.split('/')[1] ?? '');
    return connection?.arn === arn ? connection : undefined;
  }

  /**
   * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateConnection.html
   * @param id the last part of the ARN
   */
  createConnection(input: Input, id: string = randomUUID()): object {
    const name = requiredString(input, 'Name', nameConstraint);
    const authorizationType = readType(input);
    if (!authorizationType) throw required('authorizationType');
    if (optionalStructure(input, 'InvocationConnectivityParameters')) throw noPrivateEndpoints();
    const authParameters = structure(input.AuthParameters ?? {}, 'AuthParameters');
    const parameters = this.#read(authorizationType, authParameters);
    const description = optionalString(input, 'Description', { maximumLength: 512 });
    if (this.#connections.has(name)) {
      throw new AwsError('ResourceAlreadyExistsException', `Connection ${name} already exists.`);
    }
    const { accountId, region, clock } = this.#options;
    const place = `${region}:${accountId}`;
    const connection: Connection = {
      name,
      arn: `arn:aws:events:${place}:connection/${name}/${id}`,
      secretArn: `arn:aws:secretsmanager:${place}:${secretName(name, id)}`,
      createdAt: clock.now(),
      description,
      authorizationType,
      authParameters,
      parameters,
      token: undefined,
      state: 'CREATING',
      stateReason: undefined,
      modifiedAt: clock.now(),
      authorizedAt: undefined,
    };
    this.#connections.set(name, connection);
    this.#authorize(connection, parameters);
    return { ...summary(connection), LastAuthorizedTime: undefined };
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateConnection.html */
  updateConnection(input: Input): object {
    const connection = this.#connection(input, 'update');
    if (optionalStructure(input, 'InvocationConnectivityParameters')) throw noPrivateEndpoints();
    const type = readType(input) ?? connection.authorizationType;
    const update = optionalStructure(input, 'AuthParameters');
    const description = optionalString(input, 'Description', { maximumLength: 512 });
    if (update || type !== connection.authorizationType) {
      const current = type === connection.authorizationType ? connection.authParameters : {};
      const authParameters = mergedParameters(current, update ?? {});
      const parameters = this.#read(type, authParameters);
      Object.assign(connection, { authorizationType: type, authParameters });
      this.#authorize(connection, parameters);
    }
    connection.description = description ?? connection.description;
    connection.modifiedAt = this.#options.clock.now();
    return summary(connection);
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeauthorizeConnection.html */
  deauthorizeConnection(input: Input): object {
    const connection = this.#connection(input, 'deauthorize');
    const now = this.#options.clock.now();
    Object.assign(connection, { parameters: undefined, token: undefined, authParameters: {}, modifiedAt: now });
    connection.state = 'DEAUTHORIZED';
    connection.stateReason = undefined;
    return { ...summary(connection), ConnectionState: 'DEAUTHORIZING' };
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteConnection.html */
  deleteConnection(input: Input): object {
    const connection = this.#connection(input, 'delete');
    this.#connections.delete(connection.name);
    return { ...summary(connection), ConnectionState: 'DELETING' };
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeConnection.html */
  describeConnection(input: Input): object {
    const connection = this.#connection(input, 'describe');
    const { name, description, secretArn, authorizationType, authParameters, stateReason, parameters } = connection;
    return {
      ...summary(connection),
      Name: name,
      Description: description,
      AuthorizationType: authorizationType,
      StateReason: stateReason,
      ...(parameters && {
        SecretArn: secretArn,
        AuthParameters: shownParameters(authorizationType, authParameters),
      }),
    };
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListConnections.html */
  listConnections(input: Input): object {
    const prefix = optionalString(input, 'NamePrefix', nameConstraint) ?? '';
    const state = optionalChoice(input, 'ConnectionState', connectionStates);
    const matching = [...this.#connections.values()].filter(
      (connection) => connection.name.startsWith(prefix) && (state === undefined || connection.state === state),
    );
    const { items, next } = page(matching, ({ name }) => name, input);
    return {
      Connections: items.map((connection) => ({
        ...summary(connection),
        Name: connection.name,
        AuthorizationType: connection.authorizationType,
        StateReason: connection.stateReason,
      })),
      ...next,
    };
  }

  /** What makes the connections again: each with the input of CreateConnection and its id. */
  kept(): { name: string; id: string; input: Input }[] {
    return [...this.#connections.values()].map(
      ({
        name,
        arn,
        description,
        authorizationType: AuthorizationType,
        authParameters: AuthParameters,
        parameters,
      }) => ({
        name,
        id: arn.slice(arn.lastIndexOf('/') + 1),
        input: { Name: name, Description: description, AuthorizationType, ...(parameters && { AuthParameters }) },
      }),
    );
  }

  #read(type: AuthorizationType, authParameters: Input): ConnectionParameters {
    return readConnectionParameters(type, authParameters, this.#options.isEndpoint);
  }

  /** Basic and API key connections are authorized at once; OAuth ones when they have a token. */
  #authorize(connection: Connection, parameters: ConnectionParameters): void {
    const { clock, send } = this.#options;
    const { authorization } = parameters;
    const now = clock.now();
    Object.assign(connection, { parameters, token: undefined, stateReason: undefined });
    if (authorization.type !== 'OAUTH_CLIENT_CREDENTIALS') {
      connection.state = 'AUTHORIZED';
      connection.authorizedAt = now;
      return;
    }
    const token = new OAuthToken(authorization, clock, send);
    connection.token = token;
    connection.state = 'AUTHORIZING';
    const settle = (state: ConnectionState, reason?: string): void => {
      // It may have been updated, deauthorized or deleted since.
      if (connection.token !== token) return;
      connection.state = state;
      connection.stateReason = reason;
      if (state === 'AUTHORIZED') connection.authorizedAt = clock.now();
    };
    token.get().then(
      () => settle('AUTHORIZED'),
      (error: Error) => settle('DEAUTHORIZED', `The authorization failed: ${error.message}.`),
    );
  }

  #connection(input: Input, verb: string): Connection {
    const name = requiredString(input, 'Name', nameConstraint);
    const connection = this.#connections.get(name);
    if (connection) return connection;
    throw new AwsError(
      'ResourceNotFoundException',
      `Failed to ${verb} the connection(s). Connection '${name}' does not exist.`,
    );
  }
}

/** The part of a secret's ARN that is its own. */
export function secretName(connectionName: string, id: string): string {
  return `secret:events!connection/${connectionName}/${id}-${id.slice(0, 6)}`;
}

function readType(input: Input): AuthorizationType | undefined {
  return optionalChoice(input, 'AuthorizationType', authorizationTypes);
}

function required(member: string): AwsError {
  return new AwsError(
    'ValidationException',
    `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`,
  );
}

function summary({ arn, state, createdAt, modifiedAt, authorizedAt }: Connection): object {
  return {
    ConnectionArn: arn,
    ConnectionState: state,
    CreationTime: createdAt / 1000,
    LastModifiedTime: modifiedAt / 1000,
    LastAuthorizedTime: authorizedAt === undefined ? undefined : authorizedAt / 1000,
  };
}
