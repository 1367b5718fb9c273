import { readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { envelopeText } from '@millrace/testing';
import { findWorkspaceRoot, loadContracts, serviceDirectories } from '@millrace/workspace/catalogue';
import { type CompiledService as Compiled, compileTemplates } from '@millrace/workspace/packaging';
import { parse } from 'yaml';
import { at } from './template.ts';

export type Template = Compiled['template'];
export type Resource = NonNullable<Template['Resources']>[string];

/** One service at one stage, as it would be deployed. */
export interface CompiledService {
  /** `orders` */
  name: string;
  stage: string;
  template: Template;
  stackTags: Record<string, string>;
  /** Its serverless.yml, relative to the root. */
  file: string;
}

/** Everything that would stand in one stage. */
export interface CompiledWorkspace {
  root: string;
  stage: string;
  services: CompiledService[];
  /** What serverless.stages.yml says of the stage. */
  parameters: Readonly<Record<string, unknown>>;
  /** An event of each contract, made of its example, as EventBridge would hand it to a rule. */
  exampleEvents: ReadonlyArray<{
    detailType: string;
    source: string;
    event: unknown;
    /** Whether its data say which process the order is in. */
    hasProcess: boolean;
    /** The same event of an order that is picked up, where its data may name a slot and the example does not. */
    withSlot: unknown;
    /** Its variant on the analytics bus, if the contract declares one. */
    variant: unknown;
    /** Whether ids of persons leave with its variant, as pseudonyms. */
    hasPseudonyms: boolean;
  }>;
}

export const workspaceRoot = findWorkspaceRoot(import.meta.dirname);

/** The cache that `npm start` fills, too. */
const cacheDirectory = join(workspaceRoot, '.millrace', 'cache', 'packages');

/**
 * Compiles the templates of services as they would be deployed at a stage.
 * @param root of the workspace they stand in
 * @throws Error with one line for each service whose template cannot be compiled
 */
export async function readCompiledWorkspace(
  stage: string,
  { root = workspaceRoot, directories = serviceDirectories(root) } = {},
): Promise<CompiledWorkspace> {
  const compiled = await compileTemplates({ directories, stage, region: 'us-east-1', cacheDirectory });
  const services = compiled.map(({ directory, template, stackTags }) => ({
    name: basename(directory),
    stage,
    template,
    stackTags,
    file: relative(root, join(directory, 'serverless.yml')),
  }));
  return { root, stage, services, parameters: readParameters(root, stage), exampleEvents: await readExampleEvents() };
}

function readParameters(root: string, stage: string): CompiledWorkspace['parameters'] {
  const stages = parse(readFileSync(join(root, 'serverless.stages.yml'), 'utf8'));
  return stages[stage] ?? stages.default;
}

async function readExampleEvents(): Promise<CompiledWorkspace['exampleEvents']> {
  const contracts = await loadContracts(serviceDirectories(workspaceRoot));
  return [...contracts.values()].map((contract) => {
    const event = contract.create(contract.example, {
      id: 'event-1',
      time: new Date('2026-01-01T00:00:00Z'),
      subject: 'subject-1',
      correlationId: 'correlation-1',
    });
    const fields = at(contract.jsonSchema(), 'properties', 'data', 'properties');
    const hasProcess = at(fields, 'process') !== undefined;
    const withSlot = at(fields, 'slotId') === undefined ? undefined : slotEvent(event);
    const { detailType, source } = contract;
    const variant = event.analyticsVariant(() => 'pseudonym');
    return {
      ...{ detailType, source, event: JSON.parse(envelopeText(event)), hasProcess, withSlot },
      variant: variant && JSON.parse(envelopeText(variant)),
      hasPseudonyms: (contract.analytics?.pseudonyms.length ?? 0) > 0,
    };
  });
}

function slotEvent(event: Parameters<typeof envelopeText>[0]): unknown {
  const { detail, ...envelope } = JSON.parse(envelopeText(event));
  return {
    ...envelope,
    detail: { ...detail, data: { ...detail.data, slotId: '4a1d7c52-0a3e-8c1f-9d24-5b6f7a8c9d01' } },
  };
}

/**
 * Where somebody has to look who wants to change a resource: the function it is derived from, or its own section in
 * serverless.yml or in the fragment that serverless.yml takes.
 * @param logicalId empty for the stack as a whole
 * @returns e.g. `services/orders/serverless.yml: functions.relay: RelayRole` or `serverless.outbox.yml: resources.Table`
 */
export function placeOf(root: string, { file, template }: CompiledService, logicalId: string): string {
  if (logicalId === '') return file;
  const declaration = new RegExp(`^ +${logicalId}:\\s*$`, 'm');
  for (const candidate of [file, 'serverless.outbox.yml']) {
    if (declaration.test(readFileSync(join(root, candidate), 'utf8'))) return `${candidate}: resources.${logicalId}`;
  }
  const owner = Object.entries(template.Resources ?? {})
    .filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
    .map(([id, { Properties }]) => ({
      prefix: id.replace(/LambdaFunction$/, ''),
      key: String(Properties?.FunctionName).split('-').at(-1),
    }))
    .filter(({ prefix }) => logicalId.startsWith(prefix))
    .sort((a, b) => b.prefix.length - a.prefix.length)[0];
  return owner ? `${file}: functions.${owner.key}: ${logicalId}` : `${file}: ${logicalId}`;
}
