import { eventBridgeLimits } from '@millrace/events/aws-limits';
import { AwsError } from '../../core/aws-error.ts';
import type { ArchiveStore } from './archive-store.ts';
import type { EventBus } from './event-bus.ts';
import type { EventBuses } from './event-buses.ts';
import { readEventPattern } from './event-pattern.ts';
import { exclusiveFilter } from './exclusive-filter.ts';
import { page } from './page.ts';
import { type Input, optionalInteger, optionalString, requiredString } from './request-parameters.ts';
import type { Rules } from './rules.ts';

/** An archive of the events of one bus. */
export interface Archive {
  readonly name: string;
  readonly arn: string;
  readonly bus: EventBus;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  description: string | undefined;
  /** As it was given. The rule of the archive has more to it. */
  eventPattern: string | undefined;
  /** 0: for ever. */
  retentionDays: number;
}

export interface ArchivesOptions {
  accountId: string;
  region: string;
  now: () => number;
  /** Is told of each event that goes into an archive: the archive's name and the envelope. */
  onArchived?: ((archiveName: string, text: string) => void) | undefined;
}

const archiveStates = ['ENABLED', 'DISABLED', 'CREATING', 'UPDATING', 'CREATE_FAILED', 'UPDATE_FAILED'] as const;
const archiveName = { maximumLength: eventBridgeLimits.archiveNameLength, pattern: /^[.\-_A-Za-z0-9]+$/ };
const dayMs = 86_400_000;
const maximumRetentionDays = 2 ** 31 - 1;

/**
 * The archives of one account and region. Each archive is a managed rule on its bus, which leaves out what a replay has put
 * there. An archive is `ENABLED` as soon as it is created, and an event is in it as soon as it is on the bus: at AWS it takes
 * minutes.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
 */
export class Archives {
  readonly #options: ArchivesOptions;
  readonly #buses: EventBuses;
  readonly #rules: Rules;
  readonly #store: ArchiveStore;
  readonly #archives = new Map<string, Archive>();

  constructor(options: ArchivesOptions, buses: EventBuses, rules: Rules, store: ArchiveStore) {
    this.#options = options;
    this.#buses = buses;
    this.#rules = rules;
    this.#store = store;
  }

  /** The archive with an ARN, if it is there. */
  find(arn: string): Archive | undefined {
    const archive = this.#archives.get(arn.slice(arn.lastIndexOf('/') + 1));
    return archive?.arn === arn ? archive : undefined;
  }

  /** The inputs of CreateArchive that create the archives again. */
  kept(): Input[] {
    return [...this.#archives.values()].map(({ name, bus, description, eventPattern, retentionDays }) => ({
      ArchiveName: name,
      EventSourceArn: bus.arn,
      Description: description,
      EventPattern: eventPattern,
      RetentionDays: retentionDays,
    }));
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html */
  createArchive(input: Input): object {
    const name = requiredString(input, 'ArchiveName', archiveName);
    const busArn = requiredString(input, 'EventSourceArn', { maximumLength: 1600 });
    const settings = readSettings(input);
    const bus = this.#buses.required(busArn);
    if (this.#archives.has(name)) {
      throw new AwsError('ResourceAlreadyExistsException', `Archive ${name} already exists.`);
    }
    const { accountId, region, now } = this.#options;
    const archive: Archive = {
      name,
      arn: `arn:aws:events:${region}:${accountId}:archive/${name}`,
      bus,
      createdAt: this.#store.openArchive(name, bus.arn, now()),
      description: settings.description,
      eventPattern: settings.eventPattern,
      retentionDays: settings.retentionDays ?? 0,
    };
    this.#record(archive);
    this.#archives.set(name, archive);
    this.expire(archive);
    return summary(archive);
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateArchive.html */
  updateArchive(input: Input): object {
    const archive = this.#archive(input);
    const { description, eventPattern, retentionDays } = readSettings(input);
    archive.description = description ?? archive.description;
    archive.eventPattern = eventPattern ?? archive.eventPattern;
    archive.retentionDays = retentionDays ?? archive.retentionDays;
    this.#record(archive);
    return summary(archive);
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteArchive.html */
  deleteArchive(input: Input): object {
    const { name, bus } = this.#archive(input);
    this.#rules.removeArchiveRule(bus, name);
    this.#archives.delete(name);
    this.#store.deleteArchive(name);
    return {};
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeArchive.html */
  describeArchive(input: Input): object {
    const archive = this.#archive(input);
    const { description, eventPattern } = archive;
    return {
      ...this.#listed(archive),
      ArchiveArn: archive.arn,
      Description: description,
      EventPattern: eventPattern,
    };
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListArchives.html */
  listArchives(input: Input): object {
    const { prefix, sourceArn, state } = exclusiveFilter(input, 'ListArchives', archiveName, archiveStates);
    const bus = sourceArn === undefined ? undefined : this.#buses.required(sourceArn);
    const matching = [...this.#archives.values()].filter(
      (archive) =>
        archive.name.startsWith(prefix ?? '') &&
        (bus === undefined || archive.bus === bus) &&
        (state === undefined || state === 'ENABLED'),
    );
    const { items, next } = page(matching, ({ name }) => name, input);
    return { Archives: items.map((archive) => this.#listed(archive)), ...next };
  }

  /** Forgets what is older than the archive keeps it. */
  expire({ name, retentionDays }: Archive): void {
    if (retentionDays > 0) this.#store.expire(name, this.#options.now() - retentionDays * dayMs);
  }

  /** From now on, the events of the bus that match go into the archive. */
  #record({ bus, name, eventPattern }: Archive): void {
    this.#rules.putArchiveRule(bus, name, withoutReplays(eventPattern), (event) => {
      this.#options.onArchived?.(name, event.text);
      return this.#store.add(name, event);
    });
  }

  #archive(input: Input): Archive {
    const name = requiredString(input, 'ArchiveName', archiveName);
    const archive = this.#archives.get(name);
    if (!archive) throw new AwsError('ResourceNotFoundException', `Archive ${name} does not exist.`);
    return archive;
  }

  #listed(archive: Archive): object {
    this.expire(archive);
    const { count, bytes } = this.#store.sizeOf(archive.name);
    return {
      ArchiveName: archive.name,
      EventSourceArn: archive.bus.arn,
      State: 'ENABLED',
      RetentionDays: archive.retentionDays,
      SizeBytes: bytes,
      EventCount: count,
      CreationTime: archive.createdAt / 1000,
    };
  }
}

function readSettings(input: Input): {
  description: string | undefined;
  eventPattern: string | undefined;
  retentionDays: number | undefined;
} {
  const eventPattern = optionalString(input, 'EventPattern', { maximumLength: 4096 });
  if (eventPattern !== undefined) readEventPattern(eventPattern);
  return {
    description: optionalString(input, 'Description', { maximumLength: 512 }),
    eventPattern,
    retentionDays: optionalInteger(input, 'RetentionDays', 0, maximumRetentionDays),
  };
}

/** The pattern of an archive's rule: the archive's own, and nothing that is replayed. */
function withoutReplays(eventPattern: string | undefined): string {
  const condition = '"replay-name":[{"exists":false}]}';
  return eventPattern === undefined ? `{${condition}` : `${eventPattern.trimEnd().slice(0, -1)},${condition}`;
}

function summary({ arn, createdAt }: Archive): object {
  return { ArchiveArn: arn, State: 'ENABLED', CreationTime: createdAt / 1000 };
}
