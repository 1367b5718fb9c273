import { DefinitionError } from '../failure.ts';
import { isObject, type Json } from '../json.ts';
import { compileState } from './compile-state.ts';
import { type Diagnostic, Diagnostics } from './diagnostics.ts';
import { Fields } from './fields.ts';
import type { CompiledDefinition, Machine, MachineType, QueryLanguage, State } from './machine.ts';
import { checkTransitions } from './transitions.ts';

export interface CompileOptions {
  type: MachineType;
  /**
   * Refuses a state that would fail here whatever its input is.
   * @throws DefinitionError
   */
  check?: (state: State, location: string) => void;
}

/** A definition as it can be run, or what is wrong with it. */
export type Compiled =
  | { readonly definition: CompiledDefinition; readonly diagnostics: readonly [] }
  | { readonly definition: undefined; readonly diagnostics: readonly Diagnostic[]; readonly message: string };

const machineFields = ['Comment', 'QueryLanguage', 'StartAt', 'States', 'TimeoutSeconds', 'Version'];
const nestedFields = ['Comment', 'QueryLanguage', 'StartAt', 'States', 'ProcessorConfig'];

/**
 * Compiles a definition in the Amazon States Language.
 * @returns everything that is wrong with it, as ValidateStateMachineDefinition tells it
 * @example
 * const { definition, message } = compileDefinition(text, { type: 'STANDARD' });
 */
export function compileDefinition(text: string, options: CompileOptions): Compiled {
  const diagnostics = new Diagnostics();
  const definition = readDefinition(text, diagnostics, options);
  if (definition && diagnostics.list.length === 0) return { definition, diagnostics: [] };
  return {
    definition: undefined,
    diagnostics: diagnostics.list,
    message: `Invalid State Machine Definition: '${diagnostics}'`,
  };
}

/**
 * Compiles the definition of a state that is in no machine.
 * @throws DefinitionError
 */
export function compileSingleState(name: string, definition: Json): State {
  const diagnostics = new Diagnostics();
  const compiler = new Compiler(diagnostics, { type: 'STANDARD' });
  const state = compiler.state(name, definition, '', 'JSONPath');
  if (state && diagnostics.list.length === 0) return state;
  throw new DefinitionError(`Invalid State Machine Definition: '${diagnostics}'`, '');
}

function readDefinition(
  text: string,
  diagnostics: Diagnostics,
  options: CompileOptions,
): CompiledDefinition | undefined {
  let parsed: Json;
  try {
    parsed = JSON.parse(text) as Json;
  } catch (error) {
    diagnostics.add(error instanceof Error ? error.message : String(error), '', 'INVALID_JSON_DESCRIPTION');
    return undefined;
  }
  const compiler = new Compiler(diagnostics, options);
  const machine = compiler.machine(parsed, '', machineFields);
  if (!machine || !isObject(parsed)) return undefined;
  const timeoutSeconds = new Fields(parsed, '', diagnostics).integer('TimeoutSeconds', 1);
  return { ...machine, timeoutSeconds };
}

class Compiler {
  readonly #diagnostics: Diagnostics;
  readonly #options: CompileOptions;
  /** Names are unique in a whole definition. */
  readonly #names = new Set<string>();
  /** Of the whole definition. */
  #topLanguage: QueryLanguage = 'JSONPath';

  constructor(diagnostics: Diagnostics, options: CompileOptions) {
    this.#diagnostics = diagnostics;
    this.#options = options;
  }

  machine(value: Json | undefined, location: string, allowed = nestedFields): Machine | undefined {
    if (value === undefined) return undefined;
    if (!isObject(value)) {
      this.#diagnostics.add('Expected value of type OBJECT', location);
      return undefined;
    }
    const fields = new Fields(value, location, this.#diagnostics);
    fields.allow(allowed, 'in a state machine');
    fields.needs('StartAt', 'States');
    const startAt = fields.text('StartAt') ?? '';
    // Of nested machines and of states that hold them it says nothing about the states inside.
    if (location === '') this.#topLanguage = this.#language(fields) ?? 'JSONPath';
    const { States } = value;
    if (!isObject(States)) {
      if (States !== undefined) this.#diagnostics.add('Expected value of type OBJECT', fields.at('States'));
      return undefined;
    }
    const states = new Map<string, State>();
    for (const [name, definition] of Object.entries(States)) {
      const state = this.state(name, definition, `${fields.at('States')}/${name}`, this.#topLanguage);
      if (state) states.set(name, state);
    }
    // A state that cannot be read says nothing of where it leads.
    if (startAt !== '' && states.size === Object.keys(States).length) {
      checkTransitions({ startAt, states }, location, this.#diagnostics);
    }
    return { startAt, states };
  }

  state(name: string, definition: Json, location: string, outer: QueryLanguage): State | undefined {
    if (this.#names.has(name))
      this.#diagnostics.add(`The state name '${name}' is not unique`, location, 'DUPLICATE_STATE_NAME');
    this.#names.add(name);
    if (name.length > 80) this.#diagnostics.add('The name of a state must not have more than 80 characters', location);
    if (!isObject(definition)) {
      this.#diagnostics.add('Expected value of type OBJECT', location);
      return undefined;
    }
    const fields = new Fields(definition, location, this.#diagnostics);
    const own = this.#language(fields);
    if (own === 'JSONPath' && outer === 'JSONata') {
      this.#diagnostics.add(
        "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
        fields.at('QueryLanguage'),
      );
    }
    const language = own ?? outer;
    const state = compileState(name, fields, language, (value, place) => this.machine(value, place));
    if (state) this.#checkState(state, location);
    return state;
  }

  /** @returns undefined where it is not given; states have their own check of what is given */
  #language({ object }: Fields): QueryLanguage | undefined {
    return object.QueryLanguage === 'JSONata' || object.QueryLanguage === 'JSONPath' ? object.QueryLanguage : undefined;
  }

  #checkState(state: State, location: string): void {
    this.#diagnostics.try(location, () => {
      if (this.#options.type === 'EXPRESS') checkExpress(state, location);
      this.#options.check?.(state, location);
    });
  }
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html */
function checkExpress(state: State, location: string): void {
  if (state.type === 'Map' && state.isDistributed) {
    throw new DefinitionError("Express state machine does not support Map state with mode 'DISTRIBUTED'", location);
  }
  if (state.type !== 'Task') return;
  const { resource } = state;
  if (resource.kind === 'activity')
    throw new DefinitionError('Express state machine does not support Activity ARN', `${location}/Resource`);
  if (resource.kind !== 'integration' || resource.pattern === 'request') return;
  const pattern = resource.pattern === 'waitForTaskToken' ? '.waitForTaskToken' : '.sync';
  throw new DefinitionError(
    `Express state machine does not support '${pattern}' service integration`,
    `${location}/Resource`,
  );
}
