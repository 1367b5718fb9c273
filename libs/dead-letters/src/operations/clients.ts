import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { type DocumentClient, documentClient, type StepFunctions, stepFunctions } from '@millrace/aws';

/** Attempts of one call: a throttle of some seconds is waited out. */
const MAX_ATTEMPTS = 6;
/** Differences below are the network's, not the clocks'. In ms. */
const NOTICEABLE_SKEW = 3_000;

/** The AWS APIs that operators' commands call. */
export interface Clients {
  sqs: SQSClient;
  lambda: LambdaClient;
  events: EventBridgeClient;
  /** The time by SQS's clock, as far as its answers have told: what its timestamps compare with. */
  now: () => Date;
}

/**
 * What every client of an operator's command is made with: the default credentials and region of AWS, or an endpoint.
 *
 * @param endpoint origin of the local runtime; region and credentials are then made up unless the environment has some
 * https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/setting-credentials-node.html
 */
export function clientConfiguration(endpoint?: string, environment: NodeJS.ProcessEnv = process.env) {
  return {
    maxAttempts: MAX_ATTEMPTS,
    ...(endpoint !== undefined && {
      endpoint,
      region: environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION ?? 'us-east-1',
      ...(environment.AWS_ACCESS_KEY_ID === undefined && {
        credentials: { accessKeyId: 'operator', secretAccessKey: 'local' },
      }),
    }),
  };
}

/** Makes the clients, see `clientConfiguration`. */
export function createClients(endpoint?: string, environment: NodeJS.ProcessEnv = process.env): Clients {
  const configuration = clientConfiguration(endpoint, environment);
  const sqs = new SQSClient({ ...configuration, ...(endpoint !== undefined && { useQueueUrlAsEndpoint: false }) });
  let skew = 0;
  sqs.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const date = Date.parse(String((result.response as { headers?: { date?: string } }).headers?.date));
      if (!Number.isNaN(date)) {
        const difference = date - Date.now();
        skew = Math.abs(difference) < NOTICEABLE_SKEW ? 0 : difference;
      }
      return result;
    },
    { step: 'deserialize', name: 'readServiceClock', priority: 'low' },
  );
  return {
    sqs,
    lambda: new LambdaClient(configuration),
    events: new EventBridgeClient(configuration),
    now: () => new Date(Date.now() + skew),
  };
}

/**
 * Makes a client for DynamoDB with an operator's credentials and region, which the SDK's chain finds.
 *
 * @param endpoint as of `clientConfiguration`
 * @example const log = new EventLog(operatorDocumentClient(), 'millrace-event-log-dev');
 */
export function operatorDocumentClient(endpoint?: string): DocumentClient {
  const { credentials, region } = new SQSClient(clientConfiguration(endpoint)).config;
  return documentClient({ credentials, region, endpoint });
}

/**
 * Makes a client for Step Functions with an operator's credentials and region.
 *
 * @param endpoint as of `clientConfiguration`
 * @example await operatorStepFunctions().send(new RedriveExecutionCommand({ executionArn }));
 */
export function operatorStepFunctions(endpoint?: string): StepFunctions {
  const { credentials, region } = new SQSClient(clientConfiguration(endpoint)).config;
  return stepFunctions({ credentials, region, endpoint });
}
