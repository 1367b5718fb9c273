import { UsageError } from '@millrace/command-line';
import { type Clients, clientConfiguration, createClients } from './clients.ts';
import { StageQueues } from './stage-queues.ts';

/** What an operator's command works with. */
export interface OpenStage extends Clients {
  queues: StageQueues;
  /** Which stage is asked, and where. */
  target: string;
}

/** Side effects, for tests to replace. */
export interface OpenStageDependencies {
  clients?: Clients;
  /** @returns the number of the account whose credentials are used */
  readAccount?: () => Promise<string>;
}

/**
 * Opens a stage for an operator's command. A wrong stage, region or account looks like a stage without failures, so it says
 * what is asked, and refuses a stage without a queue.
 *
 * @param endpoint origin of the local runtime, otherwise AWS
 * @param say gets one line that names stage, region and account or endpoint, before the queues are read
 * @throws UsageError when the stage has no queue there; what the SDK throws
 * @example
 * const { sqs, queues } = await openStage('prod', undefined, console.error);
 */
export async function openStage(
  stage: string,
  endpoint: string | undefined,
  say: (line: string) => void,
  { clients = createClients(endpoint), readAccount = readAccountByDefault }: OpenStageDependencies = {},
): Promise<OpenStage> {
  const target = await describeTarget(stage, endpoint, { clients, readAccount });
  say(`Asking ${target}`);
  const queues = await StageQueues.load(clients.sqs, stage);
  if (queues.isEmpty) {
    throw new UsageError(
      `There are no queues of ${target}. Check --stage${endpoint === undefined ? ', AWS_REGION and the credentials' : ' and --endpoint'}, or deploy the stage`,
    );
  }
  return { ...clients, queues, target };
}

/**
 * Names what a command asks: `stage prod in eu-central-1, account 123456789012`, or
 * `stage dev at http://127.0.0.1:4566`.
 *
 * @throws what the SDK throws when it has no region
 */
export async function describeTarget(
  stage: string,
  endpoint: string | undefined,
  {
    clients,
    readAccount = readAccountByDefault,
  }: { clients: Pick<Clients, 'sqs'>; readAccount?: () => Promise<string> },
): Promise<string> {
  if (endpoint !== undefined) return `stage ${stage} at ${endpoint}`;
  const [region, account] = await Promise.all([clients.sqs.config.region(), readAccount()]);
  return `stage ${stage} in ${region}, account ${account}`;
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html: needs no permission. */
async function readAccountByDefault(): Promise<string> {
  // Only AWS is asked: an emulator has no accounts to mix up.
  const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');
  const { Account = 'unknown' } = await new STSClient(clientConfiguration()).send(new GetCallerIdentityCommand());
  return Account;
}
