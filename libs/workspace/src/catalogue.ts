import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EventContract } from '@millrace/events';
import { placeOf } from './module-error.ts';

/** A function that emits, schedules or consumes an event, and the place in its template that says so. */
export interface FunctionReference {
  service: string;
  function: string;
  /** e.g. `services/orders/serverless.yml` */
  file: string;
  /** e.g. `functions.relay.emits[0]` */
  key: string;
}

export interface ConsumerReference extends FunctionReference {
  /** What its `consume` says replays are for; nothing means `ignore`. */
  replays?: string;
  /** The prefix of the streams whose events prove what it has handled, as its `consume` says. */
  markedIn?: string;
  /** The pattern that an event's detail has to match, as its `consume` says; nothing means that it takes each. */
  filter?: object;
  /** It keeps its service's projections: it knows their table. */
  projects?: true;
  /** The newer version that its `consume` names and that the event is upcast to; nothing means that it names this one. */
  as?: string;
}

export interface CatalogueEntry {
  detailType: string;
  /** Absent when a template names an event that no contract defines. */
  contract?: EventContract;
  producers: FunctionReference[];
  consumers: ConsumerReference[];
  /** Those of its variants, on the analytics bus. */
  analyticsConsumers: ConsumerReference[];
  /** Source files that create the event. */
  createdIn: string[];
}

interface Trigger {
  consume?: { events?: string[]; bus?: string; replays?: string; markedIn?: string; filter?: object };
}

interface FunctionDefinition {
  emits?: string[];
  schedules?: string[];
  events?: Trigger[] | string;
  environment?: Record<string, unknown> | string;
}

type FunctionMap = Readonly<Record<string, FunctionDefinition>>;

/** The parts of a serverless.yml the catalogue reads. What is taken from another file is text here: `${file(…)}`. */
interface ServiceTemplate {
  functions?: FunctionMap | string | readonly (FunctionMap | string)[];
}

/** Functions by name. A template may have them in one mapping, or in a list of mappings and files. */
function functionsOf({ functions = {} }: ServiceTemplate): [string, FunctionDefinition][] {
  return [functions].flat().flatMap((each) => (typeof each === 'string' ? [] : Object.entries(each as FunctionMap)));
}

/** The nearest folder above `from` whose package.json has workspaces. @throws Error when there is none. */
export function findWorkspaceRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && 'workspaces' in JSON.parse(readFileSync(manifest, 'utf8'))) return folder;
    if (folder === dirname(folder)) throw new Error(`No package.json with workspaces in ${from} or above it`);
  }
}

/** The folders of all services: `services/*` with a serverless.yml. */
export function serviceDirectories(root: string): string[] {
  return readdirSync(join(root, 'services'))
    .map((name) => join(root, 'services', name))
    .filter((folder) => existsSync(join(folder, 'serverless.yml')))
    .sort();
}

/**
 * Imports the contracts of the given service folders (`<folder>/events/index.ts`), by detail-type, and with them those that
 * they upcast.
 * @throws Error when two services define the same detail-type.
 */
export async function loadContracts(folders: readonly string[]): Promise<Map<string, EventContract>> {
  const contracts = new Map<string, EventContract>();
  for (const folder of folders) {
    for (const contract of Object.values(await exportedContracts(folder)).flatMap(withVersionsBefore)) {
      const other = contracts.get(contract.detailType);
      if (other && other !== contract) {
        throw new Error(`${contract.detailType} is defined twice: by ${other.service} and in ${folder}/events`);
      }
      contracts.set(contract.detailType, contract);
    }
  }
  return contracts;
}

function withVersionsBefore(contract: EventContract): EventContract[] {
  return [contract, ...(contract.upcasts ? withVersionsBefore(contract.upcasts) : [])];
}

/**
 * The contracts a service's events folder exports, by the name of the export.
 * @throws Error naming the file and the line that keep it from being imported
 */
async function exportedContracts(folder: string): Promise<Record<string, EventContract>> {
  const file = join(folder, 'events', 'index.ts');
  if (!existsSync(file)) return {};
  const exported: Record<string, unknown> = await import(pathToFileURL(file).href).catch((cause: unknown) => {
    throw new Error(`${placeOf(cause) ?? file}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  });
  return Object.fromEntries(
    Object.entries(exported).filter((entry): entry is [string, EventContract] => isContract(entry[1])),
  );
}

function isContract(value: unknown): value is EventContract {
  return typeof value === 'object' && value !== null && 'detailType' in value && 'jsonSchema' in value;
}

/**
 * Which of a service's events its code creates, by detail-type, with the files that do so. Code is searched for
 * `<name of the export>.create(`: a call under another name is not seen.
 * @param folder of the service; the files are relative to it
 */
export async function createdEvents(folder: string): Promise<Map<string, string[]>> {
  const contracts = Object.entries(await exportedContracts(folder));
  const created = new Map<string, string[]>();
  for (const source of sourceFiles(join(folder, 'src'))) {
    const text = readFileSync(source, 'utf8');
    for (const [exportName, { detailType }] of contracts) {
      if (!new RegExp(`\\b${exportName}\\s*\\.create\\(`).test(text)) continue;
      created.set(detailType, [...(created.get(detailType) ?? []), relative(folder, source)]);
    }
  }
  return created;
}

/** Every event with its contract, producers and consumers, read from the code and the templates below `root`. */
export async function readCatalogue(root: string): Promise<CatalogueEntry[]> {
  const folders = serviceDirectories(root);
  const entries = new Map<string, CatalogueEntry>();
  const entryOf = (detailType: string) => {
    const entry = entries.get(detailType) ?? {
      ...{ detailType, producers: [], consumers: [], analyticsConsumers: [], createdIn: [] },
    };
    entries.set(detailType, entry);
    return entry;
  };

  for (const contract of (await loadContracts(folders)).values()) entryOf(contract.detailType).contract = contract;

  for (const folder of folders) {
    const file = join(folder, 'serverless.yml');
    const template = await parseTemplate(file);
    for (const [name, definition] of functionsOf(template)) {
      const at = (key: string): FunctionReference => ({
        service: relative(join(root, 'services'), folder),
        function: name,
        file: relative(root, file),
        key: `functions.${name}.${key}`,
      });
      for (const list of ['emits', 'schedules'] as const) {
        definition[list]?.forEach((detailType, index) => {
          entryOf(detailType).producers.push(at(`${list}[${index}]`));
        });
      }
      const triggers = Array.isArray(definition.events) ? definition.events : [];
      triggers.forEach((trigger, position) => {
        const { events: detailTypes = [], bus, replays, markedIn, filter } = trigger.consume ?? {};
        for (const [index, detailType] of detailTypes.entries()) {
          const reference = {
            ...at(`events[${position}].consume.events[${index}]`),
            ...(replays !== undefined && { replays }),
            ...(markedIn !== undefined && { markedIn }),
            ...(filter !== undefined && { filter }),
            ...(knowsProjections(definition.environment) && { projects: true as const }),
          };
          if (bus === 'analytics') {
            entryOf(detailType).analyticsConsumers.push(reference);
            continue;
          }
          entryOf(detailType).consumers.push(reference);
          for (const older of entryOf(detailType).contract?.accepts.slice(1) ?? []) {
            entryOf(older).consumers.push({ ...reference, as: detailType });
          }
        }
      });
    }
    for (const [detailType, files] of await createdEvents(folder)) {
      entryOf(detailType).createdIn.push(...files.map((name) => relative(root, join(folder, name))));
    }
  }
  return [...entries.values()].sort((a, b) => a.detailType.localeCompare(b.detailType));
}

function knowsProjections(environment: Record<string, unknown> | string | undefined): boolean {
  return typeof environment === 'object' && 'MILLRACE_PROJECTIONS_TABLE' in environment;
}

async function parseTemplate(file: string): Promise<ServiceTemplate> {
  // Loaded only here: most commands read contracts and no templates, and the parser is a quarter of what they would load.
  const { parse } = await import('yaml');
  try {
    // CloudFormation's short tags (!GetAtt …) stay unresolved, without a warning: nothing that is read here uses them.
    return parse(readFileSync(file, 'utf8'), { logLevel: 'error' }) ?? {};
  } catch (cause) {
    throw new Error(`${file} is not YAML: ${(cause as Error).message}`, { cause });
  }
}

function sourceFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(folder, name));
}

/**
 * What is wrong in a catalogue, one sentence each, naming file and key: a subscription to an event that nobody defines
 * or emits, an event that a foreign service emits, a contract that no code creates. Empty when all is well.
 *
 * Of versions that are upcast one is emitted: the newer one may be there before its producer is, for consumers to move.
 */
export function catalogueProblems(entries: readonly CatalogueEntry[]): string[] {
  return entries.flatMap((entry) => {
    const { detailType, contract, producers, consumers, analyticsConsumers } = entry;
    const problems: string[] = [];
    for (const { file, key } of analyticsConsumers) {
      if (!contract) problems.push(`${file}: ${key}: no contract defines ${detailType}`);
      else if (!contract.analytics) problems.push(`${file}: ${key}: ${detailType} is not on the analytics bus`);
      else if (!isEmitted(entry)) problems.push(`${file}: ${key}: no function emits ${detailType}`);
    }
    const others = entries.filter((other) => other !== entry);
    const older = others.filter((other) => contract?.accepts.includes(other.detailType));
    const newer = others.filter((other) => other.contract?.accepts.includes(detailType));
    for (const { file, key } of consumers.filter(({ as }) => as === undefined)) {
      if (!contract) problems.push(`${file}: ${key}: no contract defines ${detailType}`);
      else if (![entry, ...older].some(isEmitted)) {
        const successor = newer.find(isEmitted);
        const instead = successor ? ` any more: consume ${successor.detailType}, which takes its place` : '';
        problems.push(`${file}: ${key}: no function emits ${detailType}${instead}`);
      }
    }
    for (const { file, key, service } of producers) {
      const successor = newer.find(isEmitted);
      if (!contract) problems.push(`${file}: ${key}: no contract defines ${detailType}`);
      else if (contract.service !== service) {
        problems.push(`${file}: ${key}: ${detailType} belongs to ${contract.service}, ${service} may not emit it`);
      } else if (successor) {
        problems.push(
          `${file}: ${key}: ${detailType} is emitted beside ${successor.detailType}, which takes its place`,
        );
      }
    }
    const versions = [...older, ...newer];
    if (contract && !isEmitted(entry) && (isCreated(entry) || !versions.some(isEmitted))) {
      problems.push(`services/${contract.service}/serverless.yml: no function lists ${detailType} under emits`);
    }
    if (contract && !isCreated(entry) && (isEmitted(entry) || !versions.some(isCreated))) {
      problems.push(`services/${contract.service}/src: no code creates ${detailType}`);
    }
    return problems;
  });
}

function isEmitted({ producers }: CatalogueEntry): boolean {
  return producers.length > 0;
}

/** Whether its own service creates it. */
function isCreated({ contract, createdIn }: CatalogueEntry): boolean {
  return createdIn.some((file) => file.startsWith(`services/${contract?.service}/`));
}
