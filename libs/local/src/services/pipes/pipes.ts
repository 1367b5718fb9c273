import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import { pageOf } from '../../core/page.ts';
import type { Host } from '../../core/service.ts';
import { checkInput, coerce } from '../../core/shapes.ts';
import type { EventSourceMapping } from '../lambda/event-source-mapping.ts';
import type { Pipe, PipeDefinition, PipeState, SourceParameters } from './pipe.ts';
import type { PipeStore } from './pipe-store.ts';
import { createPipe, listPipes, pipeName, tagResource, tagsOf, untagResource, updatePipe } from './shapes.ts';
import { startSource } from './source.ts';
import { unsupportedParameters } from './unsupported.ts';
import { checkPipe, invalid } from './validation.ts';

/** The state that a pipe is left in where it could not be made what it shall be. */
const FAILED: Partial<Record<PipeState, PipeState>> = {
  CREATING: 'CREATE_FAILED',
  UPDATING: 'UPDATE_FAILED',
  STARTING: 'START_FAILED',
};
const IN_TRANSITION = new Set<PipeState>(['CREATING', 'UPDATING', 'DELETING', 'STARTING', 'STOPPING']);

/**
 * Pipes and their operations. As on AWS, an operation answers with a state such as `STARTING`, and the pipe is changed after that.
 * https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_Operations.html
 */
export class Pipes {
  readonly #store: PipeStore;
  readonly #host: Host;
  /** What reads the sources, by the name of the pipe. */
  readonly #readers = new Map<string, EventSourceMapping>();
  /** The last change of each pipe: changes of one pipe come one after the other. */
  readonly #changes = new Map<string, Promise<void>>();
  #isActive = false;

  constructor(store: PipeStore, host: Host) {
    this.#store = store;
    this.#host = host;
  }

  create(input: Input): object {
    checkInput(createPipe, input);
    this.#checkSupported(input);
    const definition = input as unknown as PipeDefinition;
    if (this.#store.find(definition.Name)) throw conflict(definition.Name, 'already exists');
    const pipe = this.#made(definition, false);
    checkPipe(pipe, this.#host);
    return this.#change(pipe);
  }

  /** Makes the pipe of a template, or takes over that of an earlier start. */
  declare(properties: Input): void {
    // Templates write numbers as text, too.
    const input = coerce(createPipe, properties) as Input;
    checkInput(createPipe, input);
    const pipe = this.#made(input as unknown as PipeDefinition, true);
    checkPipe(pipe, this.#host);
    const known = this.#store.find(pipe.Name);
    if (known && known.Source !== pipe.Source) this.#store.forgetPosition(pipe.Name);
    this.#store.save({ ...pipe, CreationTime: known?.CreationTime ?? pipe.CreationTime });
  }

  /**
   * Starts the pipes, and removes those of an earlier start that templates do not declare any more.
   * @param declared the names of those that they do
   * @returns the declared ones whose source cannot be read
   */
  async activate(declared: ReadonlySet<string>): Promise<{ name: string; reason: string }[]> {
    this.#isActive = true;
    const failed: { name: string; reason: string }[] = [];
    for (const pipe of this.#store.list()) {
      if (pipe.CurrentState === 'DELETING' || (pipe.isDeclared && !declared.has(pipe.Name))) {
        this.#store.delete(pipe.Name);
        continue;
      }
      this.#change({ ...pipe, CurrentState: pipe.isDeclared ? 'CREATING' : 'STARTING' });
      await this.#changes.get(pipe.Name);
      const { CurrentState, StateReason = '' } = this.#store.find(pipe.Name) ?? pipe;
      if (CurrentState === 'CREATE_FAILED') failed.push({ name: pipe.Name, reason: StateReason });
    }
    return failed;
  }

  describe(input: Input): object {
    checkInput(pipeName, input);
    const { isDeclared: _declared, ...pipe } = this.#required(String(input.Name));
    return pipe;
  }

  /** What is not given stays as it is, the source always. */
  update(input: Input): object {
    checkInput(updatePipe, input);
    this.#checkSupported(input);
    const { Name, SourceParameters, ...given } = input as unknown as PipeDefinition;
    const known = this.#settled(Name);
    const pipe: Pipe = { ...known, ...given, ...mergedSource(known.SourceParameters, SourceParameters) };
    pipe.Source = known.Source;
    pipe.Tags = known.Tags ?? {};
    checkPipe(pipe, this.#host);
    return this.#change({ ...pipe, CurrentState: 'UPDATING', LastModifiedTime: this.#seconds() });
  }

  start(input: Input): object {
    checkInput(pipeName, input);
    return this.#desire(String(input.Name), 'RUNNING', 'STARTING');
  }

  stop(input: Input): object {
    checkInput(pipeName, input);
    return this.#desire(String(input.Name), 'STOPPED', 'STOPPING');
  }

  delete(input: Input): object {
    checkInput(pipeName, input);
    const pipe = this.#required(String(input.Name));
    const answer = this.#change({ ...pipe, CurrentState: 'DELETING' });
    return { ...answer, DesiredState: 'DELETED' };
  }

  list(input: Input): object {
    checkInput(listPipes, input);
    const { NamePrefix = '', SourcePrefix = '', TargetPrefix = '', DesiredState, CurrentState } = input;
    const found = this.#store
      .list()
      .filter(({ Name, Source, Target }) => {
        const prefixes = [
          [Name, NamePrefix],
          [Source, SourcePrefix],
          [Target, TargetPrefix],
        ] as const;
        return prefixes.every(([text, prefix]) => text.startsWith(String(prefix)));
      })
      .filter((pipe) => DesiredState === undefined || pipe.DesiredState === DesiredState)
      .filter((pipe) => CurrentState === undefined || pipe.CurrentState === CurrentState);
    const { page, ...next } = pageOf(found, ({ Name }) => Name, { ...input, MaxResults: input.Limit });
    const shown = page.map(({ Source, Target, Enrichment, StateReason, ...pipe }) => ({
      ...summaryOf(pipe),
      ...{ Source, Target, Enrichment, StateReason },
    }));
    return { Pipes: shown, ...next };
  }

  listTags(input: Input): object {
    checkInput(tagsOf, input);
    return { tags: this.#tagged(input).Tags ?? {} };
  }

  tag(input: Input): object {
    checkInput(tagResource, input);
    const pipe = this.#tagged(input);
    const Tags = { ...pipe.Tags, ...(input.tags as Record<string, string>) };
    if (Object.keys(Tags).length > 50) throw invalid('A pipe can have at most 50 tags');
    this.#store.save({ ...pipe, Tags });
    return {};
  }

  untag(input: Input): object {
    checkInput(untagResource, input);
    const pipe = this.#tagged(input);
    const removed = new Set(input.tagKeys as string[]);
    const Tags = Object.fromEntries(Object.entries(pipe.Tags ?? {}).filter(([key]) => !removed.has(key)));
    this.#store.save({ ...pipe, Tags });
    return {};
  }

  /** Stops reading, and waits for the batches under way. The pipes stay as they are. */
  async close(): Promise<void> {
    this.#isActive = false;
    await Promise.all(this.#changes.values());
    await Promise.all([...this.#readers.values()].map((reader) => reader.stop()));
    this.#readers.clear();
  }

  /** @throws AwsError ValidationException for a parameter that would have no effect here */
  #checkSupported(input: Input): void {
    const [unsupported] = unsupportedParameters(input);
    if (unsupported !== undefined) throw invalid(`${unsupported} is not available on this machine`);
    if (input.LogConfiguration)
      this.#host.warn(`Pipe ${input.Name} writes no log: LogConfiguration has no effect here`);
  }

  #made(definition: PipeDefinition, isDeclared: boolean): Pipe {
    const { region, accountId } = this.#host;
    const now = this.#seconds();
    return {
      ...definition,
      Arn: `arn:aws:pipes:${region}:${accountId}:pipe/${definition.Name}`,
      DesiredState: definition.DesiredState ?? 'RUNNING',
      CurrentState: 'CREATING',
      CreationTime: now,
      LastModifiedTime: now,
      isDeclared,
    };
  }

  #desire(name: string, DesiredState: 'RUNNING' | 'STOPPED', CurrentState: PipeState): object {
    const pipe = this.#settled(name);
    if (pipe.CurrentState === DesiredState) return summaryOf(pipe);
    return this.#change({ ...pipe, DesiredState, CurrentState, LastModifiedTime: this.#seconds() });
  }

  /** Keeps what a pipe shall be, and makes it so after its earlier changes. */
  #change(pipe: Pipe): object {
    this.#store.save({ ...pipe, StateReason: undefined });
    const { Name } = pipe;
    const before = this.#changes.get(Name) ?? Promise.resolve();
    const change = before
      .then(() => this.#apply(Name))
      .catch((error: Error) => this.#host.warn(`Pipe ${Name} could not be changed: ${error.message}`));
    this.#changes.set(Name, change);
    return summaryOf(pipe);
  }

  async #apply(name: string): Promise<void> {
    await this.#readers.get(name)?.stop();
    this.#readers.delete(name);
    const pipe = this.#store.find(name);
    // A runtime that ends leaves the rest to its next start.
    if (!pipe || !this.#isActive) return;
    if (pipe.CurrentState === 'DELETING') return this.#store.delete(name);
    if (pipe.DesiredState === 'STOPPED') return this.#store.save({ ...pipe, CurrentState: 'STOPPED' });
    try {
      this.#readers.set(name, startSource(pipe, this.#host, this.#store));
      this.#store.save({ ...pipe, CurrentState: 'RUNNING' });
    } catch (error) {
      const CurrentState = FAILED[pipe.CurrentState] ?? 'START_FAILED';
      this.#store.save({ ...pipe, CurrentState, StateReason: (error as Error).message.slice(0, 512) });
    }
  }

  #required(name: string): Pipe {
    const pipe = this.#store.find(name);
    if (!pipe) throw new AwsError('NotFoundException', `Pipe ${name} does not exist.`, 404);
    return pipe;
  }

  /** @throws AwsError ConflictException for a pipe whose last change is under way */
  #settled(name: string): Pipe {
    const pipe = this.#required(name);
    if (IN_TRANSITION.has(pipe.CurrentState)) throw conflict(name, `is in the state ${pipe.CurrentState}`);
    return pipe;
  }

  #tagged({ resourceArn }: Input): Pipe {
    const pipe = this.#required(String(resourceArn).split(':pipe/')[1] ?? String(resourceArn));
    return pipe;
  }

  #seconds(): number {
    return this.#host.clock.now() / 1000;
  }
}

function summaryOf(
  pipe: Pick<Pipe, 'Arn' | 'Name' | 'DesiredState' | 'CurrentState' | 'CreationTime' | 'LastModifiedTime'>,
) {
  const { Arn, Name, DesiredState, CurrentState, CreationTime, LastModifiedTime } = pipe;
  return { Arn, Name, DesiredState, CurrentState, CreationTime, LastModifiedTime };
}

function mergedSource(
  known: SourceParameters = {},
  given: SourceParameters | undefined,
): { SourceParameters?: SourceParameters } {
  if (!given) return {};
  const merged = { ...known, ...given };
  for (const name of ['DynamoDBStreamParameters', 'KinesisStreamParameters'] as const) {
    // The position that a stream is read from stays.
    const { StartingPosition, StartingPositionTimestamp } = known[name] ?? {};
    if (!merged[name] || StartingPosition === undefined) continue;
    merged[name] = {
      ...merged[name],
      StartingPosition,
      ...(StartingPositionTimestamp !== undefined && { StartingPositionTimestamp }),
    };
  }
  return { SourceParameters: merged };
}

function conflict(name: string, reason: string): AwsError {
  const details = { resourceId: name, resourceType: 'Pipe' };
  return new AwsError('ConflictException', `Pipe ${name} ${reason}.`, 409, details);
}
