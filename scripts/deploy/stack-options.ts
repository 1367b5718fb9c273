import { readEndpoint, readStage } from '@millrace/command-line';
import { readComposition, selectServices } from './composition.ts';

/** What a deployment and a removal are both told. */
export const stackOptions = {
  stage: { type: 'string', default: 'dev' },
  region: { type: 'string', default: 'us-east-1' },
  service: { type: 'string', multiple: true, default: [] as string[] },
  'dry-run': { type: 'boolean', default: false },
  endpoint: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

interface Values {
  stage: string;
  endpoint?: string | undefined;
  service: string[];
}

/**
 * Checks them.
 * @param root of the workspace
 * @returns `waves`: the services in the order of deployment
 * @throws UsageError for a stage or an endpoint that is not valid, or a service that does not exist
 */
export function checkStackOptions(root: string, { stage, endpoint, service }: Values) {
  return {
    stage: readStage(stage),
    endpoint: readEndpoint(endpoint),
    waves: selectServices(readComposition(root), service),
  };
}
