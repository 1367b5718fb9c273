import { referenceSteps } from '../expressions/json-path.ts';
import { type PathExpression, parsePath } from '../expressions/path-expression.ts';
import { putResult } from '../expressions/result-path.ts';
import { compileJsonataTemplate, compileJsonPathTemplate } from '../expressions/template.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Evaluate, Scope } from '../scope.ts';
import { type Fields, readField } from './fields.ts';
import type { DataFlow, Inspect, QueryLanguage } from './machine.ts';

const nothing: Inspect = () => {};

/**
 * What `Assign` and the output of a JSONPath state are made of: `result` of states that have one, `input` of states that pass it on.
 * https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
 */
export type OutputSource = 'result' | 'input';

/** Compiles how data get into a state and out of it. */
export function compileDataFlow(fields: Fields, language: QueryLanguage, source: OutputSource): DataFlow {
  return language === 'JSONata' ? jsonataFlow(fields, source) : jsonPathFlow(fields, source);
}

function jsonPathFlow(fields: Fields, source: OutputSource): DataFlow {
  const inputPath = fields.path('InputPath');
  const outputPath = fields.path('OutputPath');
  const parameters = compileField(fields, 'Parameters');
  const selector = compileField(fields, 'ResultSelector');
  const assign = compileAssign(fields, 'JSONPath');
  const places = compileResultPath(fields);
  const effectiveInput = (scope: Scope): Json => readOptional(inputPath, scope);
  return {
    async prepare(scope, inspect = nothing) {
      const input = effectiveInput(scope);
      inspect('afterInputPath', input);
      if (source === 'input') return input;
      const prepared = parameters ? parameters({ ...scope, input }) : input;
      inspect('afterParameters', prepared);
      return prepared;
    },
    async complete(scope, result, inspect = nothing) {
      const selected = selector ? selector({ ...scope, input: result }) : result;
      if (source === 'result') inspect('afterResultSelector', selected);
      const assigned = (await assign({ ...scope, input: selected })) as JsonObject;
      const combined =
        source === 'input' ? selected : places === null ? scope.input : putResult(scope.input, places, selected);
      if (source === 'result') inspect('afterResultPath', combined);
      return { output: readOptional(outputPath, { ...scope, input: combined }), assigned };
    },
  };
}

function jsonataFlow(fields: Fields, source: OutputSource): DataFlow {
  const { Arguments, Output } = fields.object;
  const prepareArguments = Arguments === undefined ? undefined : compileJsonataField(fields, 'Arguments', Arguments);
  const output = Output === undefined ? undefined : compileJsonataField(fields, 'Output', Output);
  const assign = compileAssign(fields, 'JSONata');
  return {
    async prepare(scope, inspect = nothing) {
      if (!prepareArguments) return scope.input;
      const prepared = await prepareArguments(scope);
      inspect('afterArguments', prepared);
      return prepared;
    },
    async complete(scope, result) {
      const visible = source === 'result' ? { ...scope, result } : scope;
      const assigned = (await assign(visible)) as JsonObject;
      return { output: output ? await output(visible) : source === 'result' ? result : scope.input, assigned };
    },
  };
}

/** Compiles the `Assign`, `ResultPath` or `Output` of a catcher. */
export function compileCatcherFlow(fields: Fields, language: QueryLanguage) {
  const assign = compileAssign(fields, language);
  if (language === 'JSONPath') {
    const places = compileResultPath(fields);
    return async (scope: Scope, errorOutput: JsonObject) => ({
      assigned: (await assign({ ...scope, input: errorOutput })) as JsonObject,
      output: places === null ? scope.input : putResult(scope.input, places, errorOutput),
    });
  }
  const { Output } = fields.object;
  const output = Output === undefined ? undefined : compileJsonataField(fields, 'Output', Output);
  return async (scope: Scope, errorOutput: JsonObject) => {
    const visible = { ...scope, errorOutput };
    return {
      assigned: (await assign(visible)) as JsonObject,
      output: output ? await output(visible) : errorOutput,
    };
  };
}

function compileAssign(fields: Fields, language: QueryLanguage): Evaluate {
  const { Assign } = fields.object;
  if (Assign === undefined) return () => ({});
  if (!isObject(Assign)) {
    fields.diagnostics.add('Expected value of type OBJECT', fields.at('Assign'));
    return () => ({});
  }
  for (const name of Object.keys(Assign)) {
    const variable = language === 'JSONPath' ? name.replace(/\.\$$/, '') : name;
    if (!/^[\p{L}_][\p{L}\p{N}_]{0,79}$/u.test(variable) || variable === 'states') {
      fields.diagnostics.add(`'${variable}' is not a valid name of a variable`, fields.at('Assign'));
    }
  }
  if (language === 'JSONata') return compileJsonataField(fields, 'Assign', Assign);
  return compileField(fields, 'Assign') ?? (() => ({}));
}

function compileField(fields: Fields, name: string): ((scope: Scope) => Json) | undefined {
  const template = fields.object[name];
  if (template === undefined) return undefined;
  return fields.diagnostics.try(fields.at(name), () => compileJsonPathTemplate(template));
}

/** Compiles a field that may be an expression or have expressions in it. */
export function compileJsonataField(fields: Fields, name: string, template: Json): Evaluate {
  return fields.diagnostics.try(fields.at(name), () => compileJsonataTemplate(template, name)) ?? (() => null);
}

/** The places of `ResultPath`; null where the result is thrown away. */
function compileResultPath(fields: Fields): (string | number)[] | null {
  const { ResultPath } = fields.object;
  if (ResultPath === null) return null;
  const text = fields.text('ResultPath') ?? '$';
  return (
    fields.diagnostics.try(fields.at('ResultPath'), () => {
      const { root, path } = parsePath(text);
      const places = referenceSteps(path);
      if (root !== 'input' || !places)
        throw new Error('Value is not a Reference Path: it must identify a single node of the input');
      return places;
    }) ?? []
  );
}

function readOptional(path: PathExpression | null | undefined, scope: Scope): Json {
  if (path === null) return {};
  return path === undefined ? scope.input : readField(path, scope);
}
