import type { Input } from '../../core/access.ts';
import type { Clock } from '../../core/clock.ts';
import { LATEST } from './function-identifier.ts';
import { checkRange, invalidParameter, notFound } from './lambda-errors.ts';
import type { LambdaStore } from './lambda-store.ts';

/** How asynchronous events of a function, a version or an alias are handled, as the API has it. */
export interface EventInvokeConfig {
  MaximumRetryAttempts?: number;
  MaximumEventAgeInSeconds?: number;
  DestinationConfig?: { OnSuccess?: { Destination?: string }; OnFailure?: { Destination?: string } };
}

/** Epoch seconds. */
type Dated = EventInvokeConfig & { LastModified: number };

/** @throws AwsError when the destination cannot be used by the function */
export type CheckDestination = (functionName: string, destinationArn: string) => void;

export interface EventInvokeConfigsOptions {
  store: LambdaStore;
  clock: Clock;
  checkDestination: CheckDestination;
  /** The ARN of a function with a qualifier. */
  arnOf: (functionName: string, qualifier: string) => string;
}

const KIND = 'event-invoke-config';
const DESTINATION = /^arn:aws[\w-]*:(sqs|sns|lambda|events|s3):[\w-]*:(\d{12})?:.+$/;

/**
 * The configurations of asynchronous invocation, by function and qualifier.
 * https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
 */
export class EventInvokeConfigs {
  readonly #options: EventInvokeConfigsOptions;
  readonly #configs: Map<string, Dated>;

  constructor(options: EventInvokeConfigsOptions) {
    this.#options = options;
    this.#configs = options.store.documents<Dated>(KIND);
  }

  /** The one of a qualifier, or what applies without one. */
  find(functionName: string, qualifier: string | undefined): EventInvokeConfig {
    return this.#configs.get(keyOf(functionName, qualifier)) ?? {};
  }

  /**
   * Replaces a configuration, with `isUpdate` what it names only.
   * @throws AwsError
   */
  put(functionName: string, qualifier: string | undefined, input: Input, isUpdate = false): Input {
    const key = keyOf(functionName, qualifier);
    const known = this.#configs.get(key);
    if (isUpdate && !known) throw this.#missing(functionName, qualifier);
    const config = { ...(isUpdate ? known : {}), ...this.#read(functionName, input) };
    this.#configs.set(key, config);
    this.#options.store.saveDocument(KIND, key, config);
    return this.#describe(functionName, qualifier, config);
  }

  /**
   * Takes over a configuration of a template, which ends with the template.
   * @throws AwsError
   */
  declare(functionName: string, qualifier: string | undefined, input: Input): void {
    this.#configs.set(keyOf(functionName, qualifier), this.#read(functionName, input));
  }

  /** @throws AwsError ResourceNotFoundException */
  get(functionName: string, qualifier: string | undefined): Input {
    const config = this.#configs.get(keyOf(functionName, qualifier));
    if (!config) throw this.#missing(functionName, qualifier);
    return this.#describe(functionName, qualifier, config);
  }

  /** @throws AwsError ResourceNotFoundException */
  delete(functionName: string, qualifier: string | undefined): void {
    const key = keyOf(functionName, qualifier);
    if (!this.#configs.delete(key)) throw this.#missing(functionName, qualifier);
    this.#options.store.removeDocument(KIND, key);
  }

  list(functionName: string): Input[] {
    return [...this.#configs]
      .map(([key, config]) => ({ parts: key.split(':'), config }))
      .filter(({ parts }) => parts[0] === functionName)
      .map(({ parts, config }) => this.#describe(functionName, parts[1], config));
  }

  #read(functionName: string, input: Input): Dated {
    const config = readConfig(input);
    for (const arn of destinationsOf(config)) this.#options.checkDestination(functionName, arn);
    return { ...config, LastModified: this.#options.clock.now() / 1000 };
  }

  #describe(functionName: string, qualifier: string | undefined, config: Dated): Input {
    return { FunctionArn: this.#options.arnOf(functionName, qualifier ?? LATEST), DestinationConfig: {}, ...config };
  }

  #missing(functionName: string, qualifier: string | undefined): Error {
    const arn = this.#options.arnOf(functionName, qualifier ?? LATEST);
    return notFound(`The function ${arn} doesn't have an EventInvokeConfig`);
  }
}

function readConfig({ MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig }: Input): EventInvokeConfig {
  checkRange('MaximumRetryAttempts', MaximumRetryAttempts, 0, 2);
  checkRange('MaximumEventAgeInSeconds', MaximumEventAgeInSeconds, 60, 21_600);
  if (MaximumRetryAttempts === undefined && MaximumEventAgeInSeconds === undefined && DestinationConfig === undefined) {
    throw invalidParameter('You must specify at least one of error handling or destination setting.');
  }
  const config: EventInvokeConfig = {
    ...(MaximumRetryAttempts !== undefined && { MaximumRetryAttempts: MaximumRetryAttempts as number }),
    ...(MaximumEventAgeInSeconds !== undefined && { MaximumEventAgeInSeconds: MaximumEventAgeInSeconds as number }),
    ...(DestinationConfig !== undefined && {
      DestinationConfig: DestinationConfig as NonNullable<EventInvokeConfig['DestinationConfig']>,
    }),
  };
  for (const arn of destinationsOf(config)) {
    if (!DESTINATION.test(arn) || arn.endsWith('.fifo'))
      throw invalidParameter(`The destination ARN ${arn} is invalid.`);
  }
  const onSuccess = config.DestinationConfig?.OnSuccess?.Destination;
  if (onSuccess?.includes(':s3:')) throw invalidParameter(`The destination ARN ${onSuccess} is invalid.`);
  return config;
}

function destinationsOf({ DestinationConfig: config }: EventInvokeConfig): string[] {
  const arns = [config?.OnSuccess?.Destination, config?.OnFailure?.Destination];
  return arns.filter((arn) => arn !== undefined && arn !== '') as string[];
}

function keyOf(functionName: string, qualifier: string | undefined): string {
  return `${functionName}:${qualifier ?? LATEST}`;
}
