import { compilePattern, type JsonValue } from '@millrace/event-pattern';
import type { EventContract } from '@millrace/events';
import { findWorkspaceRoot, readCatalogue } from '@millrace/workspace/catalogue';
import type { AwsPort } from './aws-port.ts';

/** A function behind a queue. */
export interface Consumer {
  /** The queue's name, e.g. `millrace-orders-dev-on-order-progress`. */
  name: string;
  functionName: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  /** What its rule lets through. */
  contracts: readonly EventContract[];
}

/** A partner, whose orders a pipe reads from a queue. */
export interface Partner {
  /** As in its customer id, e.g. `acme`. */
  partner: string;
  /** The queue's name, e.g. `millrace-partner-orders-dev-acme`. */
  name: string;
  /** The enrichment of its pipe, which admits the orders. */
  functionName: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
}

/** What of the running system attacks are aimed at, and where their traces are to be found. */
export interface DeployedStage {
  busName: string;
  contracts: readonly EventContract[];
  /** The detail-types that only schedules put on the bus. */
  scheduled: ReadonlySet<string>;
  consumers: readonly Consumer[];
  partners: readonly Partner[];
  /** Where a message tells of a failure of ours: the dead-letter queues of rules and relays. */
  forbiddenQueues: readonly string[];
  parkingQueueUrl: string;
  /** The names of the consumers that the bus's rules deliver an event to. */
  consumersOf: (event: { source: string; 'detail-type': string; detail: unknown }) => string[];
}

export const busName = 'millrace-dev';

interface Rule {
  Name: string;
  EventPattern?: string;
}

/**
 * Asks the running system for its consumers, queues and rules.
 * @throws Error when a rule leads to a queue that nobody reads
 */
export async function readDeployedStage(aws: AwsPort): Promise<DeployedStage> {
  const root = findWorkspaceRoot(import.meta.dirname);
  const entries = await readCatalogue(root);
  const contracts = entries.flatMap(({ contract }) => contract ?? []);
  const scheduled = entries
    .filter(({ producers }) => producers.length > 0 && producers.every(({ key }) => key.includes('.schedules[')))
    .map(({ detailType }) => detailType);
  const { QueueUrls } = await aws.call<{ QueueUrls: string[] }>('sqs', 'ListQueues', { QueueNamePrefix: 'millrace-' });
  const urlOf = (name: string) => {
    const url = QueueUrls.find((candidate) => candidate.endsWith(`/${name}`));
    if (!url) throw new Error(`There is no queue ${name}`);
    return url;
  };
  const functionOf = await readFunctions(aws);
  const { Rules } = await aws.call<{ Rules: Rule[] }>('events', 'ListRules', { EventBusName: busName });
  const consumers: Consumer[] = [];
  const rules: { matches: ReturnType<typeof compilePattern>; consumer: string }[] = [];
  for (const { Name, EventPattern = '{}' } of Rules) {
    const { Targets } = await aws.call<{ Targets: { Arn: string }[] }>('events', 'ListTargetsByRule', {
      EventBusName: busName,
      Rule: Name,
    });
    for (const { Arn } of Targets) {
      if (!Arn.startsWith('arn:aws:sqs:')) continue;
      const name = Arn.slice(Arn.lastIndexOf(':') + 1);
      const functionName = functionOf.get(Arn);
      if (functionName === undefined) throw new Error(`No function reads ${name}, where the rule ${Name} leads to`);
      const matches = compilePattern(EventPattern);
      rules.push({ matches, consumer: name });
      consumers.push({
        name,
        functionName,
        queueUrl: urlOf(name),
        deadLetterQueueUrl: urlOf(`${name}-dlq`),
        contracts: contracts.filter(({ source, detailType, example }) =>
          matches({ source, 'detail-type': detailType, detail: { data: example as JsonValue } }),
        ),
      });
    }
  }
  return {
    busName,
    contracts,
    scheduled: new Set(scheduled),
    consumers,
    partners: (await readPartnerPipes(aws)).map((pipe) => ({
      ...pipe,
      queueUrl: urlOf(pipe.name),
      deadLetterQueueUrl: urlOf(`${pipe.name}-dlq`),
    })),
    forbiddenQueues: QueueUrls.filter((url) => /-(rule|relay)-dlq$/.test(url)),
    parkingQueueUrl: urlOf('millrace-re-emitter-dev-parking'),
    consumersOf: ({ source, 'detail-type': detailType, detail }) => {
      const event = { source, 'detail-type': detailType, detail: detail as JsonValue };
      return rules.filter(({ matches }) => matches(event)).map(({ consumer }) => consumer);
    },
  };
}

/** The functions that read queues, by the queue's ARN. */
async function readFunctions(aws: AwsPort): Promise<Map<string, string>> {
  const functions = new Map<string, string>();
  let marker: string | undefined;
  do {
    const query = marker === undefined ? '' : `?Marker=${encodeURIComponent(marker)}`;
    const page = await aws.get<{
      EventSourceMappings: { EventSourceArn: string; FunctionArn: string }[];
      NextMarker?: string;
    }>(`/2015-03-31/event-source-mappings/${query}`);
    for (const { EventSourceArn, FunctionArn } of page.EventSourceMappings) {
      functions.set(EventSourceArn, FunctionArn.slice(FunctionArn.lastIndexOf(':') + 1));
    }
    marker = page.NextMarker;
  } while (marker);
  return functions;
}

const PARTNERS = 'millrace-partner-orders-dev-';

/** The queues that pipes of partners read, and the functions that enrich them. */
async function readPartnerPipes(aws: AwsPort): Promise<Pick<Partner, 'partner' | 'name' | 'functionName'>[]> {
  const nameIn = (arn: string) => arn.slice(arn.lastIndexOf(':') + 1);
  const { Pipes } = await aws.get<{ Pipes: { Source: string; Enrichment: string }[] }>(
    `/v1/pipes?NamePrefix=${PARTNERS}`,
    'pipes',
  );
  return Pipes.map(({ Source, Enrichment }) => ({
    ...{ partner: nameIn(Source).slice(PARTNERS.length), name: nameIn(Source), functionName: nameIn(Enrichment) },
  }));
}
