import { randomUUID } from 'node:crypto';
import {
  type CompiledDefinition,
  type CompileOptions,
  compileDefinition,
  type MachineType,
} from '@millrace/states-language';
import { AwsError } from '../../../core/aws-error.ts';
import type { Clock } from '../../../core/clock.ts';
import { machineArn, type Place, parseMachineArn } from '../arns.ts';
import type { StatesStore } from '../execution/store.ts';
import type { Alias, Revision, RunnableMachine, StateMachine, Version } from './state-machine.ts';

export interface StateMachinesOptions extends Place {
  readonly clock: Clock;
  /** Chooses between the versions of an alias. */
  readonly random: () => number;
  /** Refuses states that cannot run here. */
  readonly check: NonNullable<CompileOptions['check']>;
}

/** What a machine is created with. */
export interface MachineInput {
  readonly name: string;
  readonly type: MachineType;
  readonly definition: string;
  readonly roleArn: string;
  readonly tags: Record<string, string>;
  readonly loggingConfiguration: object | undefined;
  readonly tracingConfiguration: object | undefined;
  readonly isDeclared: boolean;
}

/** Definitions that are kept compiled. */
const COMPILED = 500;

/** The state machines, their versions and aliases. */
export class StateMachines {
  readonly #store: StatesStore;
  readonly #options: StateMachinesOptions;
  readonly #machines = new Map<string, StateMachine>();
  /** By type and text. */
  readonly #compiled = new Map<string, CompiledDefinition>();

  constructor(store: StatesStore, options: StateMachinesOptions) {
    this.#store = store;
    this.#options = options;
    for (const document of store.machines()) {
      const machine = document as unknown as StateMachine;
      this.#machines.set(machine.arn, machine);
    }
  }

  /** All of them, by name. */
  list(): StateMachine[] {
    return [...this.#machines.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /**
   * Creates a machine, or answers with the one that was created in the same way.
   * @throws AwsError StateMachineAlreadyExists, InvalidDefinition
   */
  create(input: MachineInput): StateMachine {
    const arn = machineArn(this.#options, input.name);
    this.compile(input.definition, input.type);
    const known = this.#machines.get(arn);
    if (known) {
      const isSame =
        known.type === input.type &&
        known.current.definition === input.definition &&
        known.current.roleArn === input.roleArn;
      if (isSame) return known;
      throw new AwsError('StateMachineAlreadyExists', `State Machine Already Exists: '${arn}'`);
    }
    const now = this.#options.clock.now();
    const { name, type, tags, loggingConfiguration, tracingConfiguration, isDeclared } = input;
    const machine: StateMachine = {
      ...{ arn, name, type, tags, loggingConfiguration, tracingConfiguration, isDeclared },
      createdAt: now,
      current: { id: randomUUID(), definition: input.definition, roleArn: input.roleArn, updatedAt: now },
      versions: [],
      lastVersion: 0,
      aliases: [],
    };
    this.#machines.set(arn, machine);
    this.save(machine);
    return machine;
  }

  /**
   * Makes a machine what a template declares; executions go on with what they were started with.
   * @throws AwsError InvalidDefinition, StateMachineTypeNotSupported
   */
  declare(input: MachineInput): StateMachine {
    const known = this.#machines.get(machineArn(this.#options, input.name));
    if (!known || known.type !== input.type) {
      if (known) this.delete(known);
      return this.create(input);
    }
    const { tags, loggingConfiguration, tracingConfiguration } = input;
    Object.assign(known, { tags, loggingConfiguration, tracingConfiguration, isDeclared: true });
    this.update(known, input);
    return known;
  }

  /** @throws AwsError InvalidDefinition */
  update(
    machine: StateMachine,
    {
      definition = machine.current.definition,
      roleArn = machine.current.roleArn,
    }: { definition?: string | undefined; roleArn?: string | undefined },
  ): void {
    if (definition !== machine.current.definition || roleArn !== machine.current.roleArn) {
      this.compile(definition, machine.type);
      machine.current = { id: randomUUID(), definition, roleArn, updatedAt: this.#options.clock.now() };
    }
    this.save(machine);
  }

  delete(machine: StateMachine): void {
    this.#machines.delete(machine.arn);
    this.#store.deleteMachine(machine.arn);
  }

  save(machine: StateMachine): void {
    this.#store.saveMachine(machine.arn, machine);
  }

  /** @throws AwsError StateMachineDoesNotExist, InvalidArn */
  required(arn: string): StateMachine {
    const machine = this.find(arn);
    if (machine) return machine;
    throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  }

  /** The machine of an ARN, which may name a version or alias. @throws AwsError InvalidArn */
  find(arn: string): StateMachine | undefined {
    return this.#machines.get(parseMachineArn(arn).arn);
  }

  /**
   * What an execution is started with.
   * @param arn of a machine, a version or an alias
   * @throws AwsError StateMachineDoesNotExist
   */
  runnable(arn: string): RunnableMachine {
    const machine = this.required(arn);
    const { qualifier } = parseMachineArn(arn);
    const missing = (): AwsError => new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
    const of = (revision: Revision, versionArn?: string, aliasArn?: string): RunnableMachine => ({
      ...{ machine, revision, versionArn, aliasArn },
      definition: this.compile(revision.definition, machine.type),
    });
    if (qualifier === undefined) return of(machine.current);
    if (/^\d+$/.test(qualifier)) {
      const version = versionOf(machine, qualifier);
      if (!version) throw missing();
      return of(version, arn);
    }
    const alias = machine.aliases.find(({ name }) => name === qualifier);
    const versionArn = alias && this.#route(alias);
    const version = versionArn === undefined ? undefined : versionOf(machine, versionArn.split(':').at(-1) ?? '');
    if (!version) throw missing();
    return of(version, versionArn, arn);
  }

  /**
   * Compiles a definition.
   * @throws AwsError InvalidDefinition
   */
  compile(text: string, type: MachineType): CompiledDefinition {
    const key = `${type} ${text}`;
    const known = this.#compiled.get(key);
    if (known) return known;
    const compiled = compileDefinition(text, { type, check: this.#options.check });
    if (!compiled.definition) throw new AwsError('InvalidDefinition', compiled.message);
    if (this.#compiled.size >= COMPILED) this.#compiled.clear();
    this.#compiled.set(key, compiled.definition);
    return compiled.definition;
  }

  #route({ routes }: Alias): string | undefined {
    let point = this.#options.random() * 100;
    for (const { stateMachineVersionArn, weight } of routes) {
      point -= weight;
      if (point < 0) return stateMachineVersionArn;
    }
    return routes.at(-1)?.stateMachineVersionArn;
  }
}

function versionOf(machine: StateMachine, number: string): Version | undefined {
  return machine.versions.find((version) => String(version.number) === number);
}
