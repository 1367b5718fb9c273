import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  checkSupported,
  compileDefinition,
  type DefinitionProperties,
  definitionInTemplate,
  isObject,
  type Json,
  type JsonObject,
  placeholdersIn,
} from '@millrace/states-language';
import { ConfigurationError } from './configuration-error.ts';
import type { CfnResource } from './osls.ts';

/** One thing that is wrong, at a JSON pointer into the definition. */
interface Problem {
  readonly location: string;
  readonly message: string;
}

type Resources = Readonly<Record<string, CfnResource>>;

/**
 * Checks the definition of each state machine of a template as the local Step Functions does on CreateStateMachine, and its
 * substitutions: each placeholder has a value, each value is used, and tasks invoke nothing but functions that are among the values.
 *
 * @param resources of the finished template
 * @param serviceDirectory where serverless.yml and the files of definitions are
 * @param configurationFile `serverless.yml`
 * @throws ConfigurationError CONSUMERS_STATE_MACHINE with the file, the states and everything that is wrong with them, for the first machine with
 *   a mistake
 * @example checkStateMachines(template.Resources, serviceDir, 'serverless.yml');
 */
export function checkStateMachines(resources: Resources, serviceDirectory: string, configurationFile: string): void {
  for (const [id, { Type, Properties }] of Object.entries(resources)) {
    if (Type !== 'AWS::StepFunctions::StateMachine') continue;
    const problems = problemsOf(Properties, resources);
    if (problems.length === 0) continue;
    const file = definitionFile(Properties.Definition, join(serviceDirectory, configurationFile), serviceDirectory);
    const text = problems.map(({ location, message }) => (location ? `${location}: ${message}` : message)).join('; ');
    throw new ConfigurationError('CONSUMERS_STATE_MACHINE', file === undefined ? `Resources.${id}` : '', text, file);
  }
}

function problemsOf(properties: DefinitionProperties, resources: Resources): Problem[] {
  const { DefinitionString, Definition, DefinitionSubstitutions = {}, StateMachineType } = properties;
  if (typeof DefinitionString === 'object') {
    const message = 'cannot be checked: write it as text, with placeholders that DefinitionSubstitutions gives values';
    return [{ location: '/DefinitionString', message }];
  }
  const values = DefinitionSubstitutions as Readonly<Record<string, unknown>>;
  const samples = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, sampleOf(value, resources)]));
  let text: string;
  try {
    text = definitionInTemplate({ ...properties, DefinitionSubstitutions: samples });
  } catch (error) {
    return [{ location: '', message: (error as Error).message }];
  }
  const type = StateMachineType === 'EXPRESS' ? 'EXPRESS' : 'STANDARD';
  const { diagnostics } = compileDefinition(text, {
    type,
    check: (state, location) => checkSupported(state, location),
  });
  const written = Definition === undefined ? parse(String(DefinitionString)) : (Definition as Json);
  return [...diagnostics, ...substitutionProblems(written, values), ...tasksOf(written).flatMap(problemsOfTask)];

  function problemsOfTask({ location, task }: Task): Problem[] {
    const invoked = invokedBy(task);
    if (!invoked) return [];
    const { field, name } = invoked;
    const [placeholder] = typeof name === 'string' && /^\$\{\w+\}$/.test(name) ? placeholdersIn(name) : [];
    const at = (message: string): Problem[] => [{ location: `${location}/${field}`, message }];
    if (placeholder === undefined) {
      return at(
        `is ${JSON.stringify(name)}: name the function by a placeholder that DefinitionSubstitutions gives its ARN`,
      );
    }
    // A placeholder without a value has been told of.
    if (!Object.hasOwn(values, placeholder) || isFunction(values[placeholder], resources)) return [];
    return at(
      `\${${placeholder}} is ${JSON.stringify(values[placeholder])}, which is not a function of this template or an ARN of one`,
    );
  }
}

function substitutionProblems(definition: Json, values: Readonly<Record<string, unknown>>): Problem[] {
  const used = textsOf(definition).flatMap(({ location, text }) =>
    placeholdersIn(text).map((name) => ({ location, name })),
  );
  const missing = used
    .filter(({ name }) => !Object.hasOwn(values, name) || values[name] === '' || values[name] == null)
    .map(({ location, name }) => ({ location, message: `DefinitionSubstitutions has no value for \${${name}}` }));
  const unused = Object.keys(values)
    .filter((value) => !used.some(({ name }) => name === value))
    .map((name) => ({
      location: '',
      message: `DefinitionSubstitutions has ${name}, but the definition does not use it: remove it, or write \${${name}} where it belongs`,
    }));
  return [...missing, ...unused];
}

/** The file that serverless.yml took a definition from, as it is written there. osls keeps only what was in it. */
function definitionFile(definition: unknown, configuration: string, directory: string): string | undefined {
  if (definition === undefined || !existsSync(configuration)) return undefined;
  const names = [...readFileSync(configuration, 'utf8').matchAll(/\$\{file\(([^)]+\.json)\)\}/g)].map(([, name]) =>
    String(name).trim(),
  );
  return names.find((name) => {
    const file = join(directory, name);
    return existsSync(file) && isDeepStrictEqual(parse(readFileSync(file, 'utf8')), definition);
  });
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null; // the compiler says what is wrong with it
  }
}

/** All texts in a value, with JSON pointers. */
function textsOf(value: Json, location = ''): { location: string; text: string }[] {
  if (typeof value === 'string') return [{ location, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => textsOf(member, `${location}/${name}`));
}

interface Task {
  readonly location: string;
  readonly task: JsonObject;
}

/** The tasks of a machine, and of those inside of its states. */
function tasksOf(machine: Json | undefined, location = ''): Task[] {
  if (!isObject(machine) || !isObject(machine.States)) return [];
  return Object.entries(machine.States).flatMap(([name, state]): Task[] => {
    if (!isObject(state)) return [];
    const place = `${location}/States/${name}`;
    const branches = Array.isArray(state.Branches) ? state.Branches : [];
    return [
      ...(state.Type === 'Task' ? [{ location: place, task: state }] : []),
      ...branches.flatMap((branch, index) => tasksOf(branch, `${place}/Branches[${index}]`)),
      ...['ItemProcessor', 'Iterator'].flatMap((field) => tasksOf(state[field], `${place}/${field}`)),
    ];
  });
}

/** What a task names as the function that it invokes; undefined where it invokes none. */
function invokedBy({ Resource, Arguments, Parameters }: JsonObject): { field: string; name: Json } | undefined {
  if (typeof Resource !== 'string') return undefined;
  if (/^\$\{\w+\}$/.test(Resource) || /:function:/.test(Resource)) return { field: 'Resource', name: Resource };
  if (!/:states:[^:]*:[^:]*:(aws-sdk:)?lambda:invoke(\.|$)/.test(Resource)) return undefined;
  const field = Arguments === undefined ? 'Parameters' : 'Arguments';
  const given = Arguments ?? Parameters ?? null;
  if (!isObject(given)) return { field, name: given };
  const name = 'FunctionName.$' in given ? 'FunctionName.$' : 'FunctionName';
  return { field: `${field}/${name}`, name: name === 'FunctionName' ? (given.FunctionName ?? null) : `${given[name]}` };
}

const functionTypes = ['AWS::Lambda::Function', 'AWS::Lambda::Alias', 'AWS::Lambda::Version'];
const functionArn = /^arn:[\w-]+:lambda:[^:]+:[^:]+:function:[\w-]+(:[\w$-]+)?$/;

function isFunction(value: unknown, resources: Resources): boolean {
  const id = referenceOf(value);
  if (id !== undefined) return functionTypes.includes(resources[id]?.Type ?? '') || isActivity(id, resources);
  if (typeof value === 'string' || isSub(value)) return functionArn.test(sampleOf(value, resources));
  return true; // known at deployment
}

function isActivity(id: string, resources: Resources): boolean {
  return resources[id]?.Type === 'AWS::StepFunctions::Activity';
}

/** A text that has the form of what a value will be when it is deployed. */
function sampleOf(value: unknown, resources: Resources): string {
  if (typeof value !== 'object' || value === null) return String(value ?? '');
  if (isSub(value)) return value['Fn::Sub'].replace(/\$\{([\w:.]+)\}/g, (_, name: string) => pseudo[name] ?? 'sample');
  const id = referenceOf(value);
  return `arn:aws:${id !== undefined && isActivity(id, resources) ? 'states:us-east-1:000000000000:activity' : 'lambda:us-east-1:000000000000:function'}:sample`;
}

const pseudo: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'us-east-1',
  'AWS::AccountId': '000000000000',
};

function isSub(value: unknown): value is { 'Fn::Sub': string } {
  return isObject(value) && typeof value['Fn::Sub'] === 'string';
}

/** The logical id of `Ref` or `Fn::GetAtt`. */
function referenceOf(value: unknown): string | undefined {
  if (!isObject(value)) return undefined;
  const { Ref, 'Fn::GetAtt': attribute } = value;
  const id =
    Ref ??
    (Array.isArray(attribute) ? attribute[0] : typeof attribute === 'string' ? attribute.split('.')[0] : undefined);
  return typeof id === 'string' ? id : undefined;
}
