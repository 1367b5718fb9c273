import type { Throttle } from './throttle.ts';

/** One resource of a CloudFormation template. */
export interface CfnResource {
  Type: string;
  DependsOn?: string | string[];
  Properties: Record<string, unknown>;
}

/** A route of serverless.yml: text, or an object with the property this plugin adds. */
export interface HttpApiEvent {
  httpApi?: string | { path: string; throttle?: Throttle };
  /** Filled in by osls when it compiles events: `POST`, `ANY`. */
  resolvedMethod?: string;
  /** Missing for the route `*`. */
  resolvedPath?: string;
}

/** What a plugin gets to see of osls. https://github.com/oss-serverless/osls/blob/4.x/docs/guides/creating-plugins.md */
export interface Osls {
  readonly serviceDir: string;
  readonly configurationFilename: string;
  readonly classes: { readonly Error: new (message: string, code: string) => Error };
  readonly configSchemaHandler: {
    defineCustomProperties(schema: object): void;
    defineFunctionEventProperties(provider: 'aws', event: string, schema: object): void;
  };
  readonly service: {
    readonly custom?: { readonly httpApi?: { readonly throttle?: Throttle } };
    readonly provider: {
      readonly httpApi?: { readonly id?: unknown };
      readonly compiledCloudFormationTemplate: { readonly Resources: Record<string, CfnResource> };
    };
    getAllFunctions(): string[];
    getFunction(key: string): { readonly events?: readonly HttpApiEvent[] };
  };
  getProvider(name: 'aws'): {
    readonly naming: {
      getHttpApiStageLogicalId(): string;
      getHttpApiRouteLogicalId(routeKey: string): string;
    };
  };
}
