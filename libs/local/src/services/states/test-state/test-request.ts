import {
  compileDefinition,
  compileSingleState,
  DefinitionError,
  isObject,
  isRecoverable,
  type Json,
  type JsonObject,
  type Machine,
  type State,
} from '@millrace/states-language';
import type { Input } from '../../../core/access.ts';
import { AwsError } from '../../../core/aws-error.ts';
import { checkInput, flag, oneOf, required, structure, text, whole } from '../../../core/shapes.ts';
import { invalid } from '../api/input.ts';
import { checkMockedResult } from './mocked-result.ts';

/** What TestState is asked. */
export interface TestRequest {
  readonly state: State;
  readonly input: Json;
  readonly variables: JsonObject;
  readonly context: JsonObject | undefined;
  readonly roleArn: string | null;
  readonly inspectionLevel: string;
  readonly mock: { readonly result: Json } | { readonly error: string; readonly cause: string | undefined } | undefined;
  readonly retrierRetryCount: number;
  readonly failureCount: number;
  readonly readerData: Json[] | undefined;
}

const data = text({ max: 262_144 });
const shape = structure({
  ...{
    definition: required(text({ min: 1, max: 1_048_576 })),
    roleArn: text({ min: 1 }),
    input: data,
    variables: data,
    context: data,
  },
  ...{ inspectionLevel: oneOf('INFO', 'DEBUG', 'TRACE'), revealSecrets: flag(), stateName: text({ min: 1, max: 80 }) },
  mock: structure({
    ...{ result: data, fieldValidationMode: oneOf('STRICT', 'PRESENT', 'NONE') },
    errorOutput: structure({ error: text({ max: 256 }), cause: text({ max: 32_768 }) }),
  }),
  stateConfiguration: structure({
    ...{ retrierRetryCount: whole({ min: 0 }), mapIterationFailureCount: whole({ min: 0 }) },
    ...{ errorCausedByState: text({ min: 1, max: 80 }), mapItemReaderData: text({ max: 1_048_576 }) },
  }),
});

/** @throws AwsError ValidationException, InvalidDefinition, InvalidExecutionInput */
export function readTestRequest(input: Input): TestRequest {
  checkInput(shape, input);
  const state = readState(String(input.definition), input.stateName as string | undefined);
  const { result, errorOutput, fieldValidationMode = 'STRICT' } = (input.mock ?? {}) as Record<string, unknown>;
  const configuration = (input.stateConfiguration ?? {}) as Record<string, unknown>;
  if (Object.keys(configuration).length > 0 && result === undefined && errorOutput === undefined) {
    throw invalid('A state configuration needs a mock');
  }
  const isCalled = state.type === 'Task' && result === undefined && errorOutput === undefined;
  if (isCalled && input.roleArn === undefined)
    throw invalid('A role is needed to test a state that calls a service without a mock');
  const mock = readMock(state, result as string | undefined, errorOutput as Record<string, string> | undefined);
  if (mock && 'result' in mock) checkMockedResult(state, mock.result, String(fieldValidationMode));
  checkConfiguration(state, mock, configuration);
  return {
    ...{ state, mock, inspectionLevel: String(input.inspectionLevel ?? 'INFO') },
    input: parse(input.input ?? '{}', 'input', 'InvalidExecutionInput'),
    variables: object(input.variables, 'variables') ?? {},
    context: object(input.context, 'context'),
    roleArn: input.roleArn === undefined ? null : String(input.roleArn),
    retrierRetryCount: Number(configuration.retrierRetryCount ?? 0),
    failureCount: Number(configuration.mapIterationFailureCount ?? 0),
    readerData: readReaderData(configuration.mapItemReaderData),
  };
}

/** A definition is one of a state, or of a machine that has the state. */
function readState(definition: string, stateName: string | undefined): State {
  if (stateName === undefined) {
    const parsed = parse(definition, 'definition', 'InvalidDefinition');
    try {
      return compileSingleState('State', parsed);
    } catch (error) {
      if (error instanceof DefinitionError) throw new AwsError('InvalidDefinition', error.message);
      throw error;
    }
  }
  const compiled = compileDefinition(definition, { type: 'STANDARD' });
  if (!compiled.definition) throw new AwsError('InvalidDefinition', compiled.message);
  const state = findState(compiled.definition, stateName);
  if (!state) throw new AwsError('ValidationException', `State not found: '${stateName}'`);
  return state;
}

function findState({ states }: Machine, name: string): State | undefined {
  for (const state of states.values()) {
    if (state.name === name) return state;
    const nested = state.type === 'Map' ? [state.processor] : state.type === 'Parallel' ? state.branches : [];
    for (const machine of nested) {
      const found = findState(machine, name);
      if (found) return found;
    }
  }
  return undefined;
}

function readMock(
  state: State,
  result: string | undefined,
  errorOutput: Record<string, string> | undefined,
): TestRequest['mock'] {
  if (result !== undefined && errorOutput !== undefined) {
    throw invalid('A test mock should have only one of the following fields: [result, errorOutput].');
  }
  if (result === undefined && errorOutput === undefined) {
    checkRunsWithoutMock(state);
    return undefined;
  }
  if (!isRecoverable(state)) {
    throw invalid(
      `State type '${state.type}' is not supported when a mock is specified. Supported types are: [Task, Map, Parallel]`,
    );
  }
  if (errorOutput) return { error: errorOutput.error ?? '', cause: errorOutput.cause };
  return { result: parse(result, 'mock.result', 'ValidationException') };
}

/** @throws AwsError InvalidDefinition for a state that can only be tested with a mock */
function checkRunsWithoutMock(state: State): void {
  const needsMock = (): AwsError =>
    new AwsError(
      'InvalidDefinition',
      `Invalid State Machine Definition: 'INVALID_STATE_TYPE: The state can only be tested with a mock at /Type'`,
    );
  if (state.type === 'Map' || state.type === 'Parallel') throw needsMock();
  if (state.type !== 'Task') return;
  const { resource } = state;
  if (resource.kind === 'activity' || (resource.kind === 'integration' && resource.pattern !== 'request'))
    throw needsMock();
}

function checkConfiguration(state: State, mock: TestRequest['mock'], configuration: Record<string, unknown>): void {
  const { mapIterationFailureCount, mapItemReaderData, errorCausedByState } = configuration;
  const ofMap = [mapIterationFailureCount, mapItemReaderData, errorCausedByState].some((value) => value !== undefined);
  if (
    ofMap &&
    state.type !== 'Map' &&
    (state.type !== 'Parallel' || mapIterationFailureCount !== undefined || mapItemReaderData !== undefined)
  ) {
    throw invalid(`The state configuration has fields that a ${state.type} state does not have`);
  }
  if (state.type !== 'Map' || !mock || !('result' in mock) || typeof mapIterationFailureCount !== 'number') return;
  if (Array.isArray(mock.result) && mapIterationFailureCount > mock.result.length) {
    throw invalid('The mapIterationFailureCount must not be greater than the number of items of the mocked result');
  }
}

function readReaderData(value: unknown): Json[] | undefined {
  if (value === undefined) return undefined;
  const parsed = parse(value, 'stateConfiguration.mapItemReaderData', 'ValidationException');
  if (Array.isArray(parsed)) return parsed;
  if (isObject(parsed)) return Object.entries(parsed).map(([Key, Value]) => ({ Key, Value }));
  throw invalid('mapItemReaderData must be a list or an object');
}

function object(value: unknown, name: string): JsonObject | undefined {
  if (value === undefined) return undefined;
  const parsed = parse(value, name, 'ValidationException');
  if (isObject(parsed)) return parsed;
  throw invalid(`${name} must be a JSON object`);
}

function parse(value: unknown, name: string, code: string): Json {
  try {
    return JSON.parse(String(value)) as Json;
  } catch (error) {
    throw new AwsError(code, `${name} is not valid JSON: ${error instanceof Error ? error.message : error}`);
  }
}
