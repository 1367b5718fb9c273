import { interruptible, readEndpoint, readStage } from '@millrace/command-line';
import type { OpenStage } from '@millrace/dead-letters/operations';
import { findWorkspaceRoot, loadContracts, serviceDirectories } from '@millrace/workspace/catalogue';
import type { Values } from './options.ts';

export type Operations = typeof import('@millrace/dead-letters/operations');

/** The queues of a stage, and what works on them. */
export interface Context extends OpenStage {
  operations: Operations;
  /** Of the local runtime, otherwise AWS. */
  endpoint: string | undefined;
  startedAt: Date;
}

export async function connect(values: Values): Promise<Context> {
  const stage = readStage(values.stage);
  const endpoint = readEndpoint(values.endpoint);
  // Loaded when it is clear what is wanted: help and misuse would otherwise wait for the AWS SDK.
  const operations = await import('@millrace/dead-letters/operations');
  const opened = await operations.openStage(stage, endpoint, console.error);
  return { ...opened, operations, endpoint, startedAt: opened.now() };
}

/** Ctrl-C: what is under way is finished. */
export const stop = interruptible(() =>
  console.error('\nStopping: what is under way is finished, the rest is given back …'),
);

/** The contracts of all services. */
export function loadAllContracts(): ReturnType<typeof loadContracts> {
  return loadContracts(serviceDirectories(findWorkspaceRoot(import.meta.dirname)));
}
