import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { PackagedService } from './package-services.ts';

/** The bundle of one function. */
export interface BundleSize {
  /** Name of the Lambda function, e.g. `millrace-orders-dev-relay`. */
  functionName: string;
  /** What Lambda has to read and compile at a cold start: the handler's file without its source map. */
  bytes: number;
}

/**
 * Returns the size of each function's bundle, the largest first.
 * @example const [largest] = bundleSizes(await packageServices(options));
 */
export function bundleSizes(services: readonly PackagedService[]): BundleSize[] {
  return services
    .flatMap(({ template, functions }) =>
      Object.values(template.Resources ?? {}).flatMap(({ Type, Properties }): BundleSize[] => {
        if (Type !== 'AWS::Lambda::Function') return [];
        const { FunctionName, Handler } = Properties as { FunctionName: string; Handler: string };
        const code = functions.get(FunctionName);
        if (!code) return [];
        const file = `${Handler.slice(0, Handler.lastIndexOf('.'))}.cjs`;
        return [{ functionName: FunctionName, bytes: statSync(join(code.codeDirectory, file)).size }];
      }),
    )
    .sort((a, b) => b.bytes - a.bytes || (a.functionName < b.functionName ? -1 : 1));
}

/** The sizes as a table, for whoever watches a build. */
export function sizeTable(sizes: readonly BundleSize[]): string {
  return sizes
    .map(({ functionName, bytes }) => `${(bytes / 1000).toFixed(0).padStart(5)} KB  ${functionName}`)
    .join('\n');
}
