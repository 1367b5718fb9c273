import { lambdaLimits } from '@millrace/events/aws-limits';
import { readDurableConfig } from './durable/durable-config.ts';
import type { DurableConfig } from './durable/execution-state.ts';
import { LATEST } from './function-identifier.ts';
import { checkRange, invalidParameter } from './lambda-errors.ts';

/** The parts of AWS::Lambda::Function that decide how it runs. */
interface FunctionProperties {
  Handler?: string;
  Timeout?: number;
  MemorySize?: number;
  ReservedConcurrentExecutions?: number;
  LoggingConfig?: { LogFormat?: string; SystemLogLevel?: string };
  Environment?: { Variables?: Record<string, unknown> };
  DurableConfig?: Record<string, unknown>;
}

/**
 * Names of variables that Lambda sets itself, and no function may.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 */
const RESERVED_VARIABLES: ReadonlySet<string> = new Set([
  ...['_HANDLER', '_X_AMZN_TRACE_ID', 'AWS_DEFAULT_REGION', 'AWS_REGION', 'AWS_EXECUTION_ENV'],
  ...['AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE', 'AWS_LAMBDA_FUNCTION_VERSION'],
  ...['AWS_LAMBDA_INITIALIZATION_TYPE', 'AWS_LAMBDA_LOG_GROUP_NAME', 'AWS_LAMBDA_LOG_STREAM_NAME'],
  ...['AWS_ACCESS_KEY', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_LAMBDA_RUNTIME_API'],
  ...['LAMBDA_TASK_ROOT', 'LAMBDA_RUNTIME_DIR'],
]);

/**
 * Makes a function's configuration from its CloudFormation properties. Defaults are Lambda's.
 *
 * @param endpoints the AWS_ENDPOINT_URL… variables that lead every SDK client to this machine
 * @param concurrency containers at once, unless the function reserves fewer
 * @throws AwsError InvalidParameterValueException for what Lambda would refuse
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
 */
export function functionDefinition(
  { name, arn, codeDirectory }: Pick<FunctionDefinition, 'name' | 'arn' | 'codeDirectory'>,
  properties: Record<string, unknown>,
  { endpoints, concurrency }: { endpoints: Record<string, string>; concurrency: number },
): FunctionDefinition {
  const { Handler, Timeout, MemorySize, ReservedConcurrentExecutions, Environment, DurableConfig, LoggingConfig } =
    properties as FunctionProperties;
  if (Handler === undefined) throw new Error(`${name} has no Handler`);
  return {
    name,
    arn,
    codeDirectory,
    version: LATEST,
    handler: Handler,
    timeoutSeconds: readNumber('Timeout', Timeout ?? 3, 1, lambdaLimits.timeout),
    memoryMb: readNumber('MemorySize', MemorySize ?? 128, 128, 10_240),
    endpoints,
    environment: readEnvironment(Environment?.Variables ?? {}),
    concurrency: Math.max(1, Math.min(concurrency, ReservedConcurrentExecutions ?? concurrency)),
    // Levels are for the format JSON alone.
    logsEveryCall: LoggingConfig?.LogFormat !== 'JSON' || LoggingConfig.SystemLogLevel !== 'WARN',
    durable: DurableConfig && readDurableConfig(DurableConfig),
  };
}

/** A number, which CloudFormation may have as text. */
function readNumber(member: string, value: unknown, minimum: number, maximum: number): number {
  const number = Number(value);
  checkRange(member, number, minimum, maximum);
  return number;
}

/**
 * Checks the variables that a function declares.
 * @throws AwsError InvalidParameterValueException
 */
export function readEnvironment(declared: Record<string, unknown>): Record<string, string> {
  const variables = Object.fromEntries(Object.entries(declared).map(([name, value]) => [name, String(value)]));
  const reserved = Object.keys(variables).filter((name) => RESERVED_VARIABLES.has(name));
  if (reserved.length > 0) {
    throw invalidParameter(
      'Lambda was unable to configure your environment variables because the environment variables you have provided contains ' +
        `reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    );
  }
  const size = Buffer.byteLength(JSON.stringify(variables));
  if (size > lambdaLimits.environmentBytes) {
    throw invalidParameter(
      'Lambda was unable to configure your environment variables because the environment variables you have provided exceeded ' +
        `the ${lambdaLimits.environmentBytes / 1024}KB limit. String measured: ${JSON.stringify(variables).slice(0, 100)}…`,
    );
  }
  return variables;
}

export interface FunctionDefinition {
  name: string;
  /** Without a qualifier. */
  arn: string;
  /** `$LATEST` or a number. */
  version: string;
  /** `src/handlers/post-order.handler`: a file below the code directory without its extension, a dot, its export. */
  handler: string;
  /** The unpacked bundle. */
  codeDirectory: string;
  timeoutSeconds: number;
  memoryMb: number;
  /** Lead the SDK's clients to this machine. */
  endpoints: Record<string, string>;
  /** Becomes `process.env`, together with what Lambda itself sets; nothing comes from this process but PATH. */
  environment: Record<string, string>;
  /** Containers at once; calls above it wait. */
  concurrency: number;
  /** Lambda logs when a call starts, ends and what it took: not with the system log level WARN. */
  logsEveryCall?: boolean | undefined;
  /** Of a durable function. */
  durable?: DurableConfig | undefined;
}
