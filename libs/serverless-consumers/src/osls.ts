import type { ConsumeOptions } from './consume-options.ts';
import type { ConsumeStreamOptions } from './stream-options.ts';

/** A CloudFormation value: a literal or an intrinsic function. */
export type CfnValue = string | { readonly [intrinsic: string]: unknown };

/** One resource of a CloudFormation template. */
export interface CfnResource {
  Type: string;
  Condition?: string;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
  DependsOn?: string | string[];
  Properties: Record<string, unknown>;
}

/** A function of serverless.yml after osls has resolved its variables, with the properties this plugin reads or adds. */
export interface FunctionConfiguration {
  /** Physical name, filled in by osls. */
  name: string;
  /** `src/handlers/put-stock.handler`; a function from an image has none. */
  handler?: string;
  runtime?: string;
  /** Code that was packaged elsewhere. */
  package?: { artifact?: string };
  timeout?: number;
  role?: CfnValue;
  condition?: string;
  disableLogs?: boolean;
  tracing?: string | boolean;
  environment?: Record<string, unknown>;
  events?: FunctionEvent[];
  emits?: string[];
  schedules?: string[];
  iamRoleStatements?: PolicyStatement[];
}

/** The function events that shape resources or permissions here; osls compiles the others alone. */
export interface FunctionEvent {
  consume?: ConsumeOptions | ConsumeStreamOptions;
  stream?:
    | string
    | {
        type?: string;
        arn: CfnValue;
        destinations?: { onFailure: string | { arn: CfnValue; type?: string } };
      };
  sqs?: string | { arn: CfnValue };
}

/** What a plugin gets to see of osls. https://github.com/oss-serverless/osls/blob/4.x/docs/guides/creating-plugins.md */
export interface Osls {
  readonly serviceDir: string;
  readonly configurationFilename: string;
  readonly processedInput: { readonly commands: readonly string[] };
  readonly classes: { readonly Error: new (message: string, code: string) => Error };
  readonly configSchemaHandler: {
    defineFunctionEvent(provider: 'aws', name: string, schema: object): void;
    defineFunctionProperties(provider: 'aws', schema: object): void;
  };
  readonly service: {
    readonly service: string;
    readonly custom?: {
      readonly consumers?: unknown;
      /** https://github.com/floydspace/serverless-esbuild#options */
      readonly esbuild?: { readonly outputWorkFolder?: string; readonly outputBuildFolder?: string };
    };
    readonly resources?: unknown;
    readonly provider: {
      readonly runtime?: string;
      readonly timeout?: number;
      readonly environment?: Record<string, unknown>;
      readonly tracing?: { readonly lambda?: string | boolean };
      readonly compiledCloudFormationTemplate: {
        readonly Resources: Record<string, CfnResource>;
        readonly Outputs: Record<string, object>;
      };
    };
    getAllFunctions(): string[];
    getFunction(key: string): FunctionConfiguration;
  };
  getProvider(name: 'aws'): {
    getStage(): string;
    getRegion(): string;
    /** Region, credentials and retries, for a client of the AWS SDK. */
    getAwsSdkV3Config(): Promise<object>;
    readonly naming: {
      getNormalizedFunctionName(key: string): string;
      getLambdaLogicalId(key: string): string;
      getLogGroupName(functionName: string): string;
    };
  };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_statement.html */
export interface PolicyStatement {
  Effect: 'Allow' | 'Deny';
  [element: string]: unknown;
}
