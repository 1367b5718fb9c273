import { join, resolve } from 'node:path';
import { callAws } from './aws-call.ts';
import { run } from './command.ts';
import type { Workspace } from './workspace.ts';

const root = join(import.meta.dirname, '..', '..');
const services = join(root, 'services');
const bin = join(root, 'node_modules', '.bin');

/** The Serverless command line, pointed at MiniStack, in a copy of the workspace. */
export class Cloud {
  readonly #workspace: Workspace;
  readonly #awsUrl: string;
  readonly #gapsFile: string;

  /** @param gapsFile gets what MiniStack could not do, see gap.ts */
  constructor(workspace: Workspace, awsUrl: string, gapsFile: string) {
    this.#workspace = workspace;
    this.#awsUrl = awsUrl;
    this.#gapsFile = gapsFile;
  }

  /**
   * Runs `sls` at the root, for all services, or in the folder of one.
   * @param service its name, or its folder if that is not in services/
   * @returns what it printed
   */
  sls(args: string[], service?: string): Promise<string> {
    return run(join(bin, 'sls'), [...args, '--stage', 'dev'], {
      cwd: service === undefined ? this.#workspace.directory : this.#workspace.pathOf(resolve(services, service)),
      env: this.#environment(),
    });
  }

  /**
   * What `npm run deploy` of the repository itself says when it refuses to deploy to MiniStack.
   * @throws Error when it does not refuse
   */
  async refusal(args: string[]): Promise<string> {
    const command = [join(root, 'scripts', 'deploy.ts'), '--endpoint', this.#awsUrl, ...args];
    const output = await run(process.execPath, command, { env: this.#environment() }).catch((error: Error) => error);
    if (output instanceof Error) return output.message;
    throw new Error(`npm run deploy did not refuse:\n${output}`);
  }

  /** Nothing of whoever runs this: no profile, no region, no credentials that work anywhere else. */
  #environment(): NodeJS.ProcessEnv {
    return {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: this.#workspace.directory,
      AWS_ENDPOINT_URL: this.#awsUrl,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
      MILLRACE_DEPLOY_GAPS: this.#gapsFile,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    };
  }

  /** The ids of the deployed HTTP APIs, by the first segments of the paths they serve. */
  async routes(): Promise<Map<string, string>> {
    const list = async <Item>(path: string) =>
      (JSON.parse(await callAws(this.#awsUrl, { service: 'apigateway', path })) as { items: Item[] }).items;
    const routes = new Map<string, string>();
    for (const { apiId } of await list<{ apiId: string }>('/v2/apis')) {
      for (const { routeKey } of await list<{ routeKey: string }>(`/v2/apis/${apiId}/routes`)) {
        routes.set(routeKey.split('/')[1] ?? '', apiId);
      }
    }
    return routes;
  }

  /** The memory of a deployed function, in MB. */
  async memoryOf(functionName: string): Promise<number> {
    const path = `/2015-03-31/functions/${functionName}/configuration`;
    return JSON.parse(await callAws(this.#awsUrl, { service: 'lambda', path })).MemorySize;
  }
}
