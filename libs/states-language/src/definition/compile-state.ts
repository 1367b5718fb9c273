import { compileIntrinsic } from '../expressions/intrinsic.ts';
import { compileTypedJsonata, isJsonata } from '../expressions/jsonata.ts';
import { parsePath } from '../expressions/path-expression.ts';
import { EvaluationFailure, RuntimeFailure } from '../failure.ts';
import { isObject, type Json } from '../json.ts';
import type { Evaluate } from '../scope.ts';
import { compileChoiceRule } from './choice-rule.ts';
import { compileMap } from './compile-map.ts';
import { compileDataFlow } from './data-flow.ts';
import { Fields, notLong, readField, textOf } from './fields.ts';
import type { ChoiceRule, FailState, Machine, QueryLanguage, State, TaskState, WaitState } from './machine.ts';
import { compileRecovery } from './recovery.ts';
import { parseResource } from './resource.ts';
import { fieldsOf, isStateType } from './state-fields.ts';
import { parseTimestamp } from './timestamp.ts';

/** Compiles a machine inside of a state. */
export type CompileMachine = (value: Json | undefined, location: string) => Machine | undefined;

/**
 * Compiles one state. What is wrong with it is noted.
 * @param language of the machine, unless the state has its own
 * https://states-language.net/
 */
export function compileState(
  name: string,
  fields: Fields,
  language: QueryLanguage,
  compileMachine: CompileMachine,
): State | undefined {
  fields.needs('Type');
  const { Type, QueryLanguage } = fields.object;
  if (!isStateType(Type)) {
    if (Type !== undefined) fields.diagnostics.add(`Invalid value for Type: ${textOf(Type)}`, fields.at('Type'));
    return undefined;
  }
  if (QueryLanguage !== undefined && QueryLanguage !== 'JSONPath' && QueryLanguage !== 'JSONata') {
    fields.diagnostics.add('Expected one of [JSONPath, JSONata]', fields.at('QueryLanguage'));
  }
  fields.allow(fieldsOf(Type, language), `in a state of the type ${Type} and the language ${language}`);
  const hasResult =
    Type === 'Task' || Type === 'Map' || Type === 'Parallel' || (Type === 'Pass' && language === 'JSONPath');
  // Parameters of a Map state are those of its iterations.
  const own =
    Type === 'Map' ? new Fields(without(fields.object, 'Parameters'), fields.location, fields.diagnostics) : fields;
  const base = {
    name,
    language,
    next: compileNext(Type, fields),
    flow: compileDataFlow(own, language, hasResult ? 'result' : 'input'),
  };
  switch (Type) {
    case 'Pass':
      return { ...base, type: Type, result: fields.object.Result };
    case 'Succeed':
      return { ...base, type: Type };
    case 'Fail':
      return { ...base, type: Type, ...compileFail(fields, language) };
    case 'Wait':
      return { ...base, type: Type, until: compileWait(fields) };
    case 'Choice':
      return { ...base, type: Type, rules: compileChoices(fields, language), default: fields.text('Default') };
    case 'Task': {
      const task = compileTask(fields);
      return task && { ...base, type: Type, ...task, ...compileRecovery(fields, language) };
    }
    case 'Parallel': {
      const branches = compileBranches(fields, compileMachine);
      return { ...base, type: Type, branches, ...compileRecovery(fields, language) };
    }
    default: {
      const map = compileMap(fields, language, (field, value) => compileMachine(value, fields.at(field)));
      return map && { ...base, type: Type, ...map, ...compileRecovery(fields, language) };
    }
  }
}

function compileNext(type: State['type'], fields: Fields): string | undefined {
  if (type === 'Succeed' || type === 'Fail' || type === 'Choice') return undefined;
  const { End } = fields.object;
  if (End !== undefined && typeof End !== 'boolean')
    fields.diagnostics.add('Expected value of type BOOLEAN', fields.at('End'));
  if (End === true && fields.has('Next'))
    fields.diagnostics.add('Only one of these fields may be there: [Next, End]', fields.location);
  if (End !== true && !fields.has('Next'))
    fields.diagnostics.add('One of these fields is required: [Next, End]', fields.location);
  return fields.text('Next');
}

function compileChoices(fields: Fields, language: QueryLanguage): ChoiceRule[] {
  fields.needs('Choices');
  const { Choices = [] } = fields.object;
  if (!Array.isArray(Choices) || (fields.has('Choices') && Choices.length === 0)) {
    fields.diagnostics.add('Expected value of type ARRAY that is not empty', fields.at('Choices'));
    return [];
  }
  return Choices.flatMap((choice, index) => {
    const field = `Choices[${index}]`;
    if (isObject(choice))
      return [compileChoiceRule(new Fields(choice, fields.at(field), fields.diagnostics), language, field)];
    fields.diagnostics.add('Expected value of type OBJECT', fields.at(field));
    return [];
  });
}

function compileBranches(fields: Fields, compileMachine: CompileMachine): Machine[] {
  fields.needs('Branches');
  const { Branches = [] } = fields.object;
  if (!Array.isArray(Branches) || (fields.has('Branches') && Branches.length === 0)) {
    fields.diagnostics.add('Expected value of type ARRAY that is not empty', fields.at('Branches'));
    return [];
  }
  return Branches.flatMap((branch, index) => compileMachine(branch, fields.at(`Branches[${index}]`)) ?? []);
}

function compileTask(
  fields: Fields,
): Pick<TaskState, 'resource' | 'hasCredentials' | 'timeoutSeconds' | 'heartbeatSeconds'> | undefined {
  fields.needs('Resource');
  const { TimeoutSeconds, HeartbeatSeconds } = fields.object;
  if (
    typeof TimeoutSeconds === 'number' &&
    typeof HeartbeatSeconds === 'number' &&
    HeartbeatSeconds >= TimeoutSeconds
  ) {
    fields.diagnostics.add('HeartbeatSeconds must be smaller than TimeoutSeconds', fields.location);
  }
  const timeoutSeconds = fields.number('TimeoutSeconds', { from: 1 }, notLong);
  const heartbeatSeconds = fields.number('HeartbeatSeconds', { from: 1 }, notLong);
  const arn = fields.text('Resource');
  const resource =
    arn === undefined
      ? undefined
      : fields.diagnostics.try(fields.at('Resource'), () => parseResource(arn, fields.at('Resource')));
  return resource && { resource, hasCredentials: fields.has('Credentials'), timeoutSeconds, heartbeatSeconds };
}

/** Error and Cause: constants, expressions, paths or intrinsic functions. */
function compileFail(fields: Fields, language: QueryLanguage): Pick<FailState, 'error' | 'reason'> {
  const compile = (name: string): Evaluate<string> | undefined => {
    fields.atMostOne(name, `${name}Path`);
    const text = fields.text(name);
    if (text !== undefined) {
      if (language === 'JSONPath' || !isJsonata(text)) return () => text;
      return fields.diagnostics.try(fields.at(name), () => compileTypedJsonata<string>(text, name, 'string'));
    }
    const path = fields.text(`${name}Path`);
    if (path === undefined) return undefined;
    return fields.diagnostics.try(fields.at(`${name}Path`), () => compileText(`${name}Path`, path));
  };
  return { error: compile('Error'), reason: compile('Cause') };
}

function compileText(field: string, text: string): Evaluate<string> {
  const read = compilePathOrCall(text);
  return (scope) => {
    const value = read(scope);
    if (typeof value === 'string') return value;
    throw new RuntimeFailure(`The ${field} parameter does not reference a valid string: ${text} == ${textOf(value)}`);
  };
}

function compilePathOrCall(text: string): (scope: Parameters<typeof readField>[1]) => Json {
  if (!text.startsWith('$')) return compileIntrinsic(text);
  const path = parsePath(text);
  return (scope) => readField(path, scope);
}

const waitFields = ['Seconds', 'SecondsPath', 'Timestamp', 'TimestampPath'];

function compileWait(fields: Fields): WaitState['until'] {
  if (fields.atMostOne(...waitFields) === undefined) {
    fields.diagnostics.add(`One of these fields is required: [${waitFields.join(', ')}]`, fields.location);
  }
  if (fields.has('Seconds') || fields.has('SecondsPath')) {
    const seconds = fields.number('Seconds', { from: 0 }, notLong) ?? (() => 0);
    return async (scope) => scope.chance.now() + checkSeconds(await seconds(scope)) * 1000;
  }
  const { Timestamp } = fields.object;
  if (isJsonata(Timestamp)) {
    const text = fields.diagnostics.try(fields.at('Timestamp'), () =>
      compileTypedJsonata<string>(Timestamp, 'Timestamp', 'string'),
    );
    return async (scope) => {
      const value = (await text?.(scope)) ?? '';
      const instant = parseTimestamp(value);
      if (instant) return instant.milliseconds;
      throw new EvaluationFailure(
        `The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: ${value}`,
        'Timestamp',
      );
    };
  }
  if (Timestamp !== undefined) {
    const instant = parseTimestamp(fields.text('Timestamp') ?? '');
    if (!instant)
      fields.diagnostics.add(
        'Expected a timestamp in ISO-8601 extended offset date-time format',
        fields.at('Timestamp'),
      );
    return () => instant?.milliseconds ?? 0;
  }
  const path = fields.referencePath('TimestampPath');
  return (scope) => {
    const value = path ? readField(path, scope) : '';
    const instant = typeof value === 'string' ? parseTimestamp(value) : undefined;
    if (instant) return instant.milliseconds;
    throw new RuntimeFailure(
      `The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: ${path?.text} == ${textOf(value)}`,
    );
  };
}

/** A constant and a path are checked where they are read; an expression only here. */
function checkSeconds(seconds: number): number {
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= 99_999_999) return seconds;
  throw new EvaluationFailure(`The Seconds field must be an integer from 0 to 99999999 but was: ${seconds}`, 'Seconds');
}

function without(object: Fields['object'], name: string): Fields['object'] {
  const { [name]: _left, ...others } = object;
  return others;
}
