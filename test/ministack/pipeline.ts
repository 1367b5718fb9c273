import { join } from 'node:path';
import { serviceDirectories } from '@millrace/workspace/catalogue';
import { Cloud } from './cloud.ts';
import { endCommands, run } from './command.ts';
import { startMiniStack } from './ministack.ts';
import { virtualEnvironment } from './virtual-environment.ts';
import { Workspace } from './workspace.ts';

const root = join(import.meta.dirname, '..', '..');
const scratch = join(root, '.millrace', 'pipeline');

/** MiniStack with test/fixtures/pipeline deployed. */
export interface PipelineOnMiniStack extends AsyncDisposable {
  url: string;
  version: string;
}

/**
 * Starts the newest MiniStack that newest-requirements.txt names, and deploys test/fixtures/pipeline there by `sls deploy`.
 *
 * @param log gets a line when it takes long
 * @throws Error when there is no Python for it, or it does not start or deploy
 * @example await using cloud = await startPipelineOnMiniStack(console.log);
 */
export async function startPipelineOnMiniStack(log: (line: string) => void): Promise<PipelineOnMiniStack> {
  const executables = await virtualEnvironment(join(scratch, 'venv'), 'newest-requirements.txt', log);
  const version = await run(join(executables, 'python'), [
    '-c',
    "from importlib.metadata import version; print(version('ministack'))",
  ]);
  const service = join(root, 'test', 'fixtures', 'pipeline');
  // The plugin of the consumers reads the contracts of all services.
  const workspace = new Workspace(join(scratch, 'workspace'), [...serviceDirectories(root), service]);
  const ministack = await startMiniStack({ executables, directory: join(scratch, 'ministack') });
  const stop = async (): Promise<void> => {
    endCommands();
    await ministack.stop();
  };
  try {
    log(`Deploying the pipeline to MiniStack ${version.trim()}`);
    await new Cloud(workspace, ministack.url, join(scratch, 'gaps.ndjson')).sls(['deploy'], service);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: ministack.url, version: version.trim(), [Symbol.asyncDispose]: stop };
}
