import { eventBridgeLimits } from '@millrace/events/aws-limits';
import { AwsError } from '../../core/aws-error.ts';
import { policyAfterPut, policyAfterRemoval } from './bus-policy.ts';
import { busNameOrArn, defaultBusName, type EventBus } from './event-bus.ts';
import { page } from './page.ts';
import { type Input, optionalString, requiredString } from './request-parameters.ts';

/**
 * The buses of one account and region, and the operations that manage them. Each operation takes
 * the input of the AWS operation of its name and returns its output.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
 */
export class EventBuses {
  readonly #accountId: string;
  readonly #region: string;
  readonly #now: () => number;
  readonly #buses = new Map<string, EventBus>();

  constructor(options: { accountId: string; region: string; now: () => number }) {
    this.#accountId = options.accountId;
    this.#region = options.region;
    this.#now = options.now;
    this.#addBus(defaultBusName, undefined);
  }

  /** The bus of that name or ARN, if it is there. */
  find(nameOrArn: string): EventBus | undefined {
    const bus = this.#buses.get(nameOrArn.slice(nameOrArn.indexOf('/') + 1));
    return bus && (nameOrArn === bus.name || nameOrArn === bus.arn) ? bus : undefined;
  }

  /**
   * The bus of that name or ARN, or the default bus.
   * @throws AwsError ResourceNotFoundException
   */
  named(nameOrArn: string = defaultBusName): EventBus {
    const bus = this.find(nameOrArn);
    if (!bus) throw new AwsError('ResourceNotFoundException', `Event bus ${nameOrArn} does not exist.`);
    return bus;
  }

  /**
   * The bus of that ARN.
   * @throws AwsError ResourceNotFoundException
   */
  required(arn: string): EventBus {
    const bus = arn.startsWith('arn:') ? this.find(arn) : undefined;
    if (bus) return bus;
    throw new AwsError('ResourceNotFoundException', `Event bus ${arn.slice(arn.lastIndexOf('/') + 1)} does not exist.`);
  }

  all(): EventBus[] {
    return [...this.#buses.values()];
  }

  /** The ARN of the bus of that name or ARN, whether it is there or not. */
  arnOf(nameOrArn: string): string {
    return nameOrArn.startsWith('arn:') ? nameOrArn : this.#arn(`event-bus/${nameOrArn}`);
  }

  /** The inputs of CreateEventBus that create the buses again. */
  kept(): Input[] {
    const custom = [...this.#buses.values()].filter(({ name }) => name !== defaultBusName);
    return custom.map(({ name, description }) => ({ Name: name, Description: description }));
  }

  /** The policies of the buses that have one, as JSON, by name. */
  policies(): Record<string, string> {
    const all = [...this.#buses.values()].flatMap(({ name, policy }) => (policy ? [[name, policy.text]] : []));
    return Object.fromEntries(all);
  }

  createEventBus(input: Input): object {
    const name = requiredString(input, 'Name', {
      maximumLength: eventBridgeLimits.busNameLength,
      pattern: /^[.\-_A-Za-z0-9]+$/,
    });
    if (this.#buses.has(name)) {
      throw new AwsError('ResourceAlreadyExistsException', `Event bus ${name} already exists.`);
    }
    const { arn, description } = this.#addBus(name, optionalString(input, 'Description', { maximumLength: 512 }));
    return { EventBusArn: arn, Description: description };
  }

  deleteEventBus(input: Input): object {
    const name = requiredString(input, 'Name', { maximumLength: eventBridgeLimits.busNameLength });
    if (name === defaultBusName) throw invalid('Cannot delete event bus default.');
    if ((this.#buses.get(name)?.rules.size ?? 0) > 0) throw invalid(`Cannot delete event bus ${name}: it has rules.`);
    this.#buses.delete(name);
    return {};
  }

  describeEventBus(input: Input): object {
    return describeBus(this.named(optionalString(input, 'Name', busNameOrArn)));
  }

  listEventBuses(input: Input): object {
    const prefix = optionalString(input, 'NamePrefix', { maximumLength: eventBridgeLimits.busNameLength }) ?? '';
    const buses = [...this.#buses.values()].filter(({ name }) => name.startsWith(prefix));
    const { items, next } = page(buses, ({ name }) => name, input);
    return { EventBuses: items.map(describeBus), ...next };
  }

  putPermission(input: Input): object {
    const bus = this.named(optionalString(input, 'EventBusName', busNameOrArn));
    bus.policy = policyAfterPut(bus.policy, input, bus.arn);
    return {};
  }

  removePermission(input: Input): object {
    const bus = this.named(optionalString(input, 'EventBusName', busNameOrArn));
    bus.policy = policyAfterRemoval(bus.policy, input);
    return {};
  }

  #addBus(name: string, description: string | undefined): EventBus {
    const bus: EventBus = {
      name,
      arn: this.#arn(`event-bus/${name}`),
      description,
      createdAt: this.#now(),
      rules: new Map(),
      policy: undefined,
    };
    this.#buses.set(name, bus);
    return bus;
  }

  #arn(resource: string): string {
    return `arn:aws:events:${this.#region}:${this.#accountId}:${resource}`;
  }
}

function describeBus({ name, arn, description, policy, createdAt }: EventBus): object {
  const seconds = createdAt / 1000;
  return {
    Name: name,
    Arn: arn,
    Description: description,
    Policy: policy?.text,
    CreationTime: seconds,
    LastModifiedTime: seconds,
  };
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
