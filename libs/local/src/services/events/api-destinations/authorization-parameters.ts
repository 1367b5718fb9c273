import { AwsError } from '../../../core/aws-error.ts';
import { type Input, optionalChoice, optionalStructure, requiredString, structure } from '../request-parameters.ts';

export const authorizationTypes = ['BASIC', 'OAUTH_CLIENT_CREDENTIALS', 'API_KEY'] as const;
export type AuthorizationType = (typeof authorizationTypes)[number];

/** A header, a parameter of the query string, or a member of the body. */
export interface HttpParameter {
  readonly key: string;
  readonly value: string;
}

export interface HttpParameters {
  readonly headers: readonly HttpParameter[];
  readonly query: readonly HttpParameter[];
  readonly body: readonly HttpParameter[];
}

/** How the requests of a connection are authorized. */
export type Authorization =
  | { readonly type: 'BASIC'; readonly username: string; readonly password: string }
  | { readonly type: 'API_KEY'; readonly name: string; readonly value: string }
  | OAuthClient;

export interface OAuthClient {
  readonly type: 'OAUTH_CLIENT_CREDENTIALS';
  readonly endpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly httpMethod: 'GET' | 'POST' | 'PUT';
  /** Of the request for a token. */
  readonly parameters: HttpParameters;
}

export interface ConnectionParameters {
  readonly authorization: Authorization;
  /** Of each request to an API destination. */
  readonly invocation: HttpParameters;
}

const memberOfType = {
  BASIC: 'BasicAuthParameters',
  OAUTH_CLIENT_CREDENTIALS: 'OAuthParameters',
  API_KEY: 'ApiKeyAuthParameters',
} as const;

/**
 * Reads the AuthParameters of a connection.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateConnectionAuthRequestParameters.html
 *
 * @param isEndpoint true for an authorization endpoint that a token may be asked of
 * @throws AwsError ValidationException, whose message names no secret
 */
export function readConnectionParameters(
  type: AuthorizationType,
  parameters: Input,
  isEndpoint: (url: string) => boolean,
): ConnectionParameters {
  for (const [otherType, member] of Object.entries(memberOfType)) {
    const isGiven = optionalStructure(parameters, member) !== undefined;
    if (isGiven === (otherType === type)) continue;
    throw invalid(
      isGiven
        ? `AuthParameters.${member} does not belong to the authorization type ${type}`
        : `AuthParameters.${member} is required for the authorization type ${type}`,
    );
  }
  if (optionalStructure(parameters, 'ConnectivityParameters')) throw noPrivateEndpoints();
  const own = structure(parameters[memberOfType[type]], memberOfType[type]);
  return {
    authorization: readAuthorization(type, own, isEndpoint),
    invocation: readHttpParameters(optionalStructure(parameters, 'InvocationHttpParameters')),
  };
}

/** Private endpoints are reached through VPC Lattice. */
export function noPrivateEndpoints(): AwsError {
  return invalid('Connectivity to private endpoints is not available on this machine');
}

function readAuthorization(type: AuthorizationType, own: Input, isEndpoint: (url: string) => boolean): Authorization {
  if (type === 'BASIC') {
    return { type, username: requiredString(own, 'Username', text), password: requiredSecret(own, 'Password') };
  }
  if (type === 'API_KEY') {
    const name = requiredString(own, 'ApiKeyName', { ...text, pattern: headerName });
    return { type, name, value: requiredSecret(own, 'ApiKeyValue') };
  }
  const client = optionalStructure(own, 'ClientParameters') ?? {};
  const endpoint = requiredString(own, 'AuthorizationEndpoint', { maximumLength: 2048 });
  if (!isEndpoint(endpoint)) throw invalid('AuthorizationEndpoint must be an https URL');
  const httpMethod = optionalChoice(own, 'HttpMethod', ['GET', 'POST', 'PUT'] as const);
  if (!httpMethod) throw invalid('OAuthParameters.HttpMethod is required');
  return {
    type,
    endpoint,
    clientId: requiredString(client, 'ClientID', text),
    clientSecret: requiredSecret(client, 'ClientSecret'),
    httpMethod,
    parameters: readHttpParameters(optionalStructure(own, 'OAuthHttpParameters')),
  };
}

const text = { maximumLength: 512 };
const headerName = /^[!#$%&'*+.^_`|~0-9a-zA-Z-]+$/;
const maximumParameters = 100;
const lists = { headers: 'HeaderParameters', query: 'QueryStringParameters', body: 'BodyParameters' } as const;

function readHttpParameters(input: Input = {}): HttpParameters {
  return {
    headers: readList(input, lists.headers),
    query: readList(input, lists.query),
    body: readList(input, lists.body),
  };
}

function readList(input: Input, name: string): HttpParameter[] {
  const list = input[name] ?? [];
  if (!Array.isArray(list)) throw new AwsError('SerializationException', `${name} must be a list`);
  if (list.length > maximumParameters) throw invalid(`${name} may have at most ${maximumParameters} parameters`);
  return list.map((item) => {
    const parameter = structure(item, name);
    const pattern = name === lists.headers ? { pattern: headerName } : {};
    const key = requiredString(parameter, 'Key', { ...text, ...pattern });
    const value = parameter.Value ?? '';
    if (typeof value !== 'string') throw new AwsError('SerializationException', `${name}: Value must be a string`);
    if (name === lists.headers && hasControlCharacter(value))
      throw invalid(`${name}: the value of ${key} has a line break`);
    return { key, value };
  });
}

/** A text of which errors say nothing. */
function requiredSecret(input: Input, name: string): string {
  const value = input[name];
  const isValid = typeof value === 'string' && value.length >= 1 && value.length <= 512 && !hasControlCharacter(value);
  if (isValid) return value;
  throw invalid(`${name} must be a text of 1 to 512 characters without line breaks`);
}

function hasControlCharacter(value: string): boolean {
  return [...value].some((character) => character < ' ' || character === '\x7f');
}

/** The AuthParameters as DescribeConnection shows them: without secrets. */
export function shownParameters(type: AuthorizationType, parameters: Input): object {
  const { InvocationHttpParameters, OAuthParameters, BasicAuthParameters, ApiKeyAuthParameters } = parameters as Record<
    string,
    Input | undefined
  >;
  const { ClientID } = (OAuthParameters?.ClientParameters ?? {}) as Input;
  return {
    ...(type === 'BASIC' && { BasicAuthParameters: { Username: BasicAuthParameters?.Username } }),
    ...(type === 'API_KEY' && { ApiKeyAuthParameters: { ApiKeyName: ApiKeyAuthParameters?.ApiKeyName } }),
    ...(type === 'OAUTH_CLIENT_CREDENTIALS' && {
      OAuthParameters: {
        AuthorizationEndpoint: OAuthParameters?.AuthorizationEndpoint,
        HttpMethod: OAuthParameters?.HttpMethod,
        ClientParameters: { ClientID },
        ...(OAuthParameters?.OAuthHttpParameters !== undefined && {
          OAuthHttpParameters: shownHttpParameters(OAuthParameters.OAuthHttpParameters as Input),
        }),
      },
    }),
    ...(InvocationHttpParameters && { InvocationHttpParameters: shownHttpParameters(InvocationHttpParameters) }),
  };
}

function shownHttpParameters(parameters: Input): object {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, list]) => [
      name,
      (list as Input[]).map(({ Key, Value, IsValueSecret = false }) => ({
        Key,
        IsValueSecret,
        ...(IsValueSecret === true ? {} : { Value }),
      })),
    ]),
  );
}

/** The parameters after an update, which may give a part of them. A list takes the place of the one there was. */
export function mergedParameters(current: Input, update: Input): Input {
  const merged: Record<string, unknown> = { ...current };
  for (const [name, value] of Object.entries(update)) {
    const before = merged[name];
    merged[name] = isStructure(before) && isStructure(value) ? mergedParameters(before, value) : value;
  }
  return merged;
}

function isStructure(value: unknown): value is Input {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', `${message}.`);
}
