import type { TaskResource } from '@millrace/states-language';
import { AwsError } from '../../../core/aws-error.ts';
import { TaskError } from '../execution/live-execution.ts';

type Integration = Extract<TaskResource, { kind: 'integration' }>;

/** How the SDK behind an optimized integration names a service and its errors. */
interface SdkNames {
  /** In front of an error's name. */
  readonly prefix: string;
  /** As in the error's message. */
  readonly service: string;
  /** The error's name where the API does not define it. */
  readonly fallback: string;
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html: these use the AWS SDK for Java 1. */
const optimized: Readonly<Record<string, SdkNames>> = {
  lambda: { prefix: 'Lambda', service: 'AWSLambda', fallback: 'AWSLambdaException' },
  dynamodb: { prefix: 'DynamoDB', service: 'AmazonDynamoDBv2', fallback: 'AmazonDynamoDBException' },
  sqs: { prefix: 'SQS', service: 'AmazonSQS', fallback: 'AmazonSQSException' },
  sns: { prefix: 'SNS', service: 'AmazonSNS', fallback: 'AmazonSNSException' },
  events: { prefix: 'EventBridge', service: 'AmazonEventBridge', fallback: 'AmazonEventBridgeException' },
  states: { prefix: 'StepFunctions', service: 'AWSStepFunctions', fallback: 'AWSStepFunctionsException' },
};

/** Names of clients of the AWS SDK for Java 2 that are not the service's with a capital letter. */
const clientNames: Readonly<Record<string, string>> = {
  dynamodb: 'DynamoDb',
  eventbridge: 'EventBridge',
  sesv2: 'SesV2',
  cloudwatchlogs: 'CloudWatchLogs',
  cloudwatch: 'CloudWatch',
};

/** Errors that no API has as a shape, so that the SDKs have no class for them. */
const common =
  /^(AccessDenied|MissingParameter|MissingRequiredParameter|InvalidParameterValue|InvalidParameterCombination|Serialization|UnknownOperation|InternalFailure|ServiceUnavailable|ExpiredToken|UnrecognizedClient|MissingAuthenticationToken|ValidationError)/;
/** Services whose API has a ValidationException. */
const havingValidation = new Set(['states', 'ssm', 'scheduler', 'lambda', 'logs']);

/**
 * Makes what a service has answered the error of a task, in the words of the SDK that AWS calls it by.
 * @throws anything that is not an answer of a service
 */
export function taskErrorOf(error: unknown, integration: Integration, requestId: string): TaskError {
  if (!(error instanceof AwsError)) throw error;
  const { service, resourceType, isSdk } = integration;
  const isModeled = !common.test(error.code) && (error.code !== 'ValidationException' || havingValidation.has(service));
  if (isSdk) {
    const client = clientName(resourceType.replace(/^aws-sdk:/, ''));
    const name = isModeled ? exceptionName(error.code) : `${client}Exception`;
    const cause = `${error.message} (Service: ${client}, Status Code: ${error.status}, Request ID: ${requestId}) (SDK Attempt Count: 1)`;
    return new TaskError(`${client}.${name}`, cause);
  }
  const names = optimized[service] ?? { prefix: service, service, fallback: 'ServiceException' };
  const name = isModeled ? exceptionName(error.code) : names.fallback;
  const cause = `${error.message} (Service: ${names.service}; Status Code: ${error.status}; Error Code: ${error.code}; Request ID: ${requestId}; Proxy: null)`;
  return new TaskError(`${names.prefix}.${name}`, cause);
}

function clientName(service: string): string {
  return clientNames[service] ?? service.charAt(0).toUpperCase() + service.slice(1);
}

function exceptionName(code: string): string {
  const name = code.replace(/^.*[.#]/, '').replace(/(Fault|Error)$/, '');
  return name.endsWith('Exception') ? name : `${name}Exception`;
}
