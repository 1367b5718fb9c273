import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import type { Clock } from '../../core/clock.ts';
import { pageOf } from '../../core/page.ts';
import { checkInput } from '../../core/shapes.ts';
import { ClientTokens } from './client-tokens.ts';
import { DEFAULT_GROUP, type ScheduleGroup } from './schedule.ts';
import type { ScheduleStore } from './schedule-store.ts';
import { dateOf } from './schedules.ts';
import * as shapes from './shapes.ts';

interface Tag {
  Key: string;
  Value: string;
}

export interface GroupsOptions {
  region: string;
  accountId: string;
  clock: Clock;
  /** Called after what is due may have changed. */
  onChange: () => void;
}

/** The operations on schedule groups and their tags. Schedules themselves have none. */
export class ScheduleGroups {
  readonly #store: ScheduleStore;
  readonly #options: GroupsOptions;
  readonly #tokens: ClientTokens;

  constructor(store: ScheduleStore, options: GroupsOptions) {
    this.#store = store;
    this.#options = options;
    this.#tokens = new ClientTokens(options.clock);
    if (!store.group(DEFAULT_GROUP)) this.#save(DEFAULT_GROUP, {}, false);
  }

  create(input: Input): { ScheduleGroupArn: string } {
    checkInput(shapes.group, input);
    return this.#tokens.once('CreateScheduleGroup', input, () => {
      const name = String(input.Name);
      if (this.#store.group(name)) {
        throw new AwsError('ConflictException', `Schedule group ${name} already exists.`, 409);
      }
      return { ScheduleGroupArn: this.#save(name, recordOf(input.Tags), false).arn };
    });
  }

  get(input: Input): object {
    checkInput(shapes.groupName, input);
    return described(this.#require(String(input.Name)));
  }

  /** Deletes a group with its schedules. AWS does so by and by; here it is done at once. */
  delete(input: Input): object {
    checkInput(shapes.groupName, input);
    return this.#tokens.once('DeleteScheduleGroup', input, () => {
      const { name } = this.#require(String(input.Name));
      if (name === DEFAULT_GROUP)
        throw new AwsError('ValidationException', 'The default schedule group cannot be deleted.');
      this.#store.transaction(() => this.#store.deleteGroup(name));
      this.#options.onChange();
      return {};
    });
  }

  list(input: Input): object {
    checkInput(shapes.listSchedules, input);
    const { NamePrefix = '' } = input;
    const found = this.#store.groups().filter(({ name }) => name.startsWith(String(NamePrefix)));
    const { page, ...next } = pageOf(found, ({ name }) => name, input);
    return { ScheduleGroups: page.map(described), ...next };
  }

  /** Brings a group to what a template declares. */
  declare(input: Input): void {
    checkInput(shapes.group, input);
    this.#save(String(input.Name), recordOf(input.Tags), true);
  }

  listTags(input: Input): object {
    checkInput(shapes.listTags, input);
    const { tags } = this.#requireArn(input.ResourceArn);
    return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
  }

  tag(input: Input): object {
    checkInput(shapes.tagResource, input);
    const { name, tags, isDeclared } = this.#requireArn(input.ResourceArn);
    this.#save(name, { ...tags, ...recordOf(input.Tags) }, isDeclared);
    return {};
  }

  untag(input: Input): object {
    checkInput(shapes.untagResource, input);
    const { name, tags, isDeclared } = this.#requireArn(input.ResourceArn);
    const removed = new Set(input.TagKeys as string[]);
    this.#save(name, Object.fromEntries(Object.entries(tags).filter(([key]) => !removed.has(key))), isDeclared);
    return {};
  }

  #save(name: string, tags: Record<string, string>, isDeclared: boolean): ScheduleGroup {
    const { region, accountId, clock } = this.#options;
    const now = clock.now();
    const arn = `arn:aws:scheduler:${region}:${accountId}:schedule-group/${name}`;
    const createdAt = this.#store.group(name)?.createdAt ?? now;
    const group: ScheduleGroup = { arn, name, createdAt, modifiedAt: now, tags, isDeclared };
    this.#store.saveGroup(group);
    return group;
  }

  #require(name: string): ScheduleGroup {
    const group = this.#store.group(name);
    if (!group) throw new AwsError('ResourceNotFoundException', `Schedule group ${name} does not exist.`, 404);
    return group;
  }

  #requireArn(arn: unknown): ScheduleGroup {
    return this.#require(String(arn).slice(String(arn).lastIndexOf('/') + 1));
  }
}

function described({ arn, createdAt, modifiedAt, name }: ScheduleGroup): object {
  return {
    Arn: arn,
    CreationDate: dateOf(createdAt),
    LastModificationDate: dateOf(modifiedAt),
    Name: name,
    State: 'ACTIVE',
  };
}

function recordOf(tags: unknown): Record<string, string> {
  return Object.fromEntries(((tags ?? []) as Tag[]).map(({ Key, Value }) => [Key, Value]));
}
