/** The parts of AWS::Lambda::Function that decide how it runs. */
interface FunctionProperties {
  Handler?: string;
  Timeout?: number;
  MemorySize?: number;
  ReservedConcurrentExecutions?: number;
  Environment?: { Variables?: Record<string, unknown> };
}

/**
 * Makes a function's configuration from its CloudFormation properties. Defaults are Lambda's.
 *
 * @param endpoints the AWS_ENDPOINT_URL… variables that lead every SDK client to this machine
 * @param concurrency containers at once, unless the function reserves fewer
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
 */
export function functionDefinition(
  { name, arn, codeDirectory }: Pick<FunctionDefinition, 'name' | 'arn' | 'codeDirectory'>,
  properties: Record<string, unknown>,
  { endpoints, concurrency }: { endpoints: Record<string, string>; concurrency: number },
): FunctionDefinition {
  const { Handler, Timeout, MemorySize, ReservedConcurrentExecutions, Environment } = properties as FunctionProperties;
  if (Handler === undefined) throw new Error(`${name} has no Handler`);
  const variables = Object.entries(Environment?.Variables ?? {}).map(([key, value]) => [key, String(value)]);
  return {
    name,
    arn,
    codeDirectory,
    handler: Handler,
    timeoutSeconds: Number(Timeout ?? 3),
    memoryMb: Number(MemorySize ?? 128),
    environment: { ...endpoints, ...Object.fromEntries(variables) },
    concurrency: Math.max(1, Math.min(concurrency, ReservedConcurrentExecutions ?? concurrency)),
  };
}

export interface FunctionDefinition {
  name: string;
  arn: string;
  /** `src/handlers/post-order.handler`: a file below the code directory without its extension, a dot, its export. */
  handler: string;
  /** The unpacked bundle. */
  codeDirectory: string;
  timeoutSeconds: number;
  memoryMb: number;
  /** Becomes `process.env`, together with what Lambda itself sets; nothing comes from this process but PATH. */
  environment: Record<string, string>;
  /** Containers at once; calls above it wait. */
  concurrency: number;
}
