import type { CompiledDefinition, MachineType } from '@millrace/states-language';

/** What executions of a machine are started with: it changes with each update. */
export interface Revision {
  readonly id: string;
  readonly definition: string;
  readonly roleArn: string;
  readonly updatedAt: number;
}

/** A published revision. */
export interface Version extends Revision {
  readonly number: number;
  readonly description: string | undefined;
  readonly createdAt: number;
}

/** A name for one or two versions. */
export interface Alias {
  readonly name: string;
  readonly description: string | undefined;
  readonly routes: readonly { readonly stateMachineVersionArn: string; readonly weight: number }[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A state machine, as it is kept. */
export interface StateMachine {
  readonly arn: string;
  readonly name: string;
  readonly type: MachineType;
  readonly createdAt: number;
  /** It comes from a template, and goes with it. */
  readonly isDeclared: boolean;
  current: Revision;
  versions: Version[];
  /** Numbers are not used twice. */
  lastVersion: number;
  aliases: Alias[];
  tags: Record<string, string>;
  loggingConfiguration: object | undefined;
  tracingConfiguration: object | undefined;
}

/** A revision that can be run. */
export interface RunnableMachine {
  readonly machine: StateMachine;
  readonly revision: Revision;
  readonly definition: CompiledDefinition;
  /** Of the version or alias it was asked for by. */
  readonly versionArn: string | undefined;
  readonly aliasArn: string | undefined;
}
