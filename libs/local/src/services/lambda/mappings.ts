import { randomUUID } from 'node:crypto';
import type { Stack } from '@millrace/cloudformation';
import type { Input } from '../../core/access.ts';
import type { Host } from '../../core/service.ts';
import { placed } from './create-function.ts';
import type { Destinations } from './destinations.ts';
import type {
  EventSourceMapping,
  EventSourceMappingConfiguration,
  EventSourceMappingProperties,
  EventSourceMappingSettings,
} from './event-source-mapping.ts';
import type { Functions } from './functions.ts';
import { conflict, invalidParameter, notFound } from './lambda-errors.ts';
import type { LambdaStore } from './lambda-store.ts';
import { lambdaResourceTypes } from './resource-types.ts';
import type { Checkpoints } from './shard-checkpoint.ts';
import { requireSourcePermissions, startMapping } from './start-mapping.ts';

interface Entry {
  mapping: EventSourceMapping;
  properties: EventSourceMappingProperties;
  /** It comes from the API, and not from a template: it outlives the process. */
  isKept: boolean;
  isDeleting: boolean;
}

/** What is asked of a mapping before it is there for good, or for the last time. */
type Transition = EventSourceMappingConfiguration['State'] | 'Creating' | 'Enabling' | 'Updating' | 'Deleting';
type Described = Omit<EventSourceMappingConfiguration, 'State'> & { State: Transition };

export interface MappingsOptions {
  host: Host;
  functions: Functions;
  store: LambdaStore;
  checkpoints: Checkpoints | undefined;
  destinations: Destinations;
}

const KIND = 'event-source-mapping';
const PROPERTIES = lambdaResourceTypes['AWS::Lambda::EventSourceMapping']?.properties ?? [];

/** The event source mappings of all stacks, and those that the API has made. */
export class Mappings {
  readonly #options: MappingsOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: MappingsOptions) {
    this.#options = options;
  }

  /**
   * Starts the mappings of the stacks, then those that an earlier process has made for the API.
   * @throws TemplateError for a mapping that Lambda would refuse
   */
  start(stacks: readonly Stack[]): void {
    for (const stack of stacks) {
      for (const { logicalId } of stack.resourcesOfType('AWS::Lambda::EventSourceMapping')) {
        // Of the others the start warns by name.
        const given = Object.entries(stack.properties(logicalId)).filter(([name]) => PROPERTIES.includes(name));
        const properties = Object.fromEntries(given) as unknown as EventSourceMappingProperties;
        try {
          this.#add(stack.ref(logicalId), properties, false);
        } catch (error) {
          throw placed(error, stack, logicalId);
        }
      }
    }
    const { store, host } = this.#options;
    for (const [uuid, properties] of store.documents<EventSourceMappingProperties>(KIND)) {
      try {
        this.#add(uuid, properties, true);
      } catch (error) {
        // What it maps may have left the templates; it comes back with that.
        host.warn(
          `The event source mapping ${uuid} of ${properties.EventSourceArn} cannot start: ${(error as Error).message}`,
        );
      }
    }
  }

  list(): EventSourceMappingConfiguration[] {
    return [...this.#entries.keys()].map((uuid) => this.get(uuid) as EventSourceMappingConfiguration);
  }

  /** @throws AwsError ResourceNotFoundException */
  get(uuid: string): Described {
    const { mapping, isDeleting } = this.#entry(uuid);
    const configuration = mapping.configuration();
    return isDeleting ? { ...configuration, State: 'Deleting' } : configuration;
  }

  /**
   * Makes a mapping. Like AWS, it answers before the mapping polls.
   * @throws AwsError InvalidParameterValueException, ResourceNotFoundException, ResourceConflictException
   */
  create(input: Input): Described {
    const properties = input as unknown as EventSourceMappingProperties;
    if (typeof properties.FunctionName !== 'string') throw invalidParameter('FunctionName is required');
    if (typeof properties.EventSourceArn !== 'string') {
      throw invalidParameter('Unrecognized event source, EventSourceArn is required');
    }
    const { found } = this.#options.functions.get(properties.FunctionName);
    requireSourcePermissions(this.#options.host, found.name, properties.EventSourceArn);
    const uuid = randomUUID();
    this.#add(uuid, properties, true);
    this.#options.store.saveDocument(KIND, uuid, properties);
    return { ...this.get(uuid), State: 'Creating' };
  }

  /**
   * Changes a mapping. Like AWS, it answers before the batches under way have ended.
   * @throws AwsError InvalidParameterValueException, ResourceNotFoundException
   */
  async update(uuid: string, { FunctionName, ...given }: Input): Promise<Described> {
    const entry = this.#entry(uuid);
    if (entry.isDeleting) throw conflict(`The event source mapping ${uuid} is being deleted`);
    const wasEnabled = entry.properties.Enabled !== false;
    const settings = given as EventSourceMappingSettings;
    this.#checkDestination(FunctionName === undefined ? entry.properties.FunctionName : String(FunctionName), settings);
    const properties = { ...entry.properties, ...settings };
    if (FunctionName !== undefined && String(FunctionName) !== entry.properties.FunctionName) {
      await this.#moveTo(uuid, entry, { ...properties, FunctionName: String(FunctionName) });
    } else {
      const updated = entry.mapping.update(settings);
      // An error comes at once, an end of batches later.
      await Promise.race([updated, new Promise((resolve) => setImmediate(resolve))]);
      updated.catch(() => undefined);
      entry.properties = properties;
    }
    if (entry.isKept) this.#options.store.saveDocument(KIND, uuid, entry.properties);
    const isEnabled = properties.Enabled !== false;
    const configuration = this.get(uuid);
    if (isEnabled === wasEnabled) return { ...configuration, State: isEnabled ? 'Updating' : configuration.State };
    return { ...configuration, State: isEnabled ? 'Enabling' : 'Disabling' };
  }

  /** @throws AwsError ResourceNotFoundException */
  delete(uuid: string): Described {
    const entry = this.#entry(uuid);
    entry.isDeleting = true;
    this.#options.store.removeDocument(KIND, uuid);
    void entry.mapping.stop().then(() => this.#entries.delete(uuid));
    return this.get(uuid);
  }

  /** Stops polling, and waits for the batches under way. */
  async stop(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ mapping }) => mapping.stop()));
  }

  #add(uuid: string, properties: EventSourceMappingProperties, isKept: boolean): void {
    const { functions, host, checkpoints, destinations } = this.#options;
    const { found, qualifier } = functions.get(properties.FunctionName);
    this.#checkDestination(properties.FunctionName, properties);
    const source = properties.EventSourceArn;
    const twin = [...this.#entries.values()]
      .filter(({ isDeleting }) => !isDeleting)
      .map(({ mapping }) => mapping.configuration())
      .find((other) => other.EventSourceArn === source && other.FunctionArn === found.arnOf(qualifier));
    if (twin) {
      const kind = source.includes(':sqs:') ? 'An event source mapping with SQS arn' : 'The event source arn';
      throw conflict(
        `${kind} (" ${source} ") and function (" ${found.name} ") already exists. ` +
          `Please update or delete the existing mapping with UUID ${twin.UUID}`,
      );
    }
    const mapping = startMapping({ uuid, properties, found, qualifier }, host, checkpoints, destinations);
    this.#entries.set(uuid, { mapping, properties, isKept, isDeleting: false });
  }

  /** Lets another function have the records. The position in a stream stays. */
  async #moveTo(uuid: string, entry: Entry, properties: EventSourceMappingProperties): Promise<void> {
    const { functions, host, checkpoints, destinations } = this.#options;
    const { found, qualifier } = functions.get(properties.FunctionName);
    const positionOf = entry.properties.positionOf ?? entry.mapping.configuration().FunctionArn;
    const moved = { ...properties, positionOf };
    await entry.mapping.stop();
    try {
      entry.mapping = startMapping({ uuid, properties: moved, found, qualifier }, host, checkpoints, destinations);
      entry.properties = moved;
    } catch (error) {
      const old = functions.get(entry.properties.FunctionName);
      entry.mapping = startMapping({ uuid, properties: entry.properties, ...old }, host, checkpoints, destinations);
      throw error;
    }
  }

  #checkDestination(functionName: string, { DestinationConfig }: EventSourceMappingSettings): void {
    const arn = DestinationConfig?.OnFailure?.Destination;
    if (!arn) return;
    if (!/^arn:[^:]+:(sqs|sns|s3):/.test(arn) || arn.endsWith('.fifo')) {
      throw invalidParameter(`The destination ARN ${arn} is invalid.`);
    }
    this.#options.destinations.check(this.#options.functions.get(functionName).found.name, arn);
  }

  #entry(uuid: string): Entry {
    const entry = this.#entries.get(uuid);
    if (!entry) throw notFound('The resource you requested does not exist.');
    return entry;
  }
}
