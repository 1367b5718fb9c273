import { compileTypedJsonata, isJsonata } from '../expressions/jsonata.ts';
import { compileJsonPathTemplate } from '../expressions/template.ts';
import { EvaluationFailure, RuntimeFailure } from '../failure.ts';
import { isObject, type Json } from '../json.ts';
import type { Evaluate } from '../scope.ts';
import { compileJsonataField } from './data-flow.ts';
import { type DescribePath, type Fields, notLong, readField, textOf } from './fields.ts';
import type { Machine, MapState, QueryLanguage } from './machine.ts';

type MapFields = Omit<MapState, 'type' | 'name' | 'language' | 'next' | 'flow' | 'retry' | 'catch'>;

const notInteger: DescribePath = (field, found, path) =>
  `The ${field} field refers to value "${textOf(found)}" which is not a valid integer: ${path}`;

/**
 * Compiles what is a Map state's own.
 * @param compileMachine compiles its processor
 * https://docs.aws.amazon.com/step-functions/latest/dg/state-map.html
 */
export function compileMap(
  fields: Fields,
  language: QueryLanguage,
  compileMachine: (name: string, value: Json | undefined) => Machine | undefined,
): MapFields | undefined {
  const processorField = fields.atMostOne('ItemProcessor', 'Iterator');
  if (processorField === undefined) fields.needs('ItemProcessor');
  fields.atMostOne('ItemSelector', 'Parameters');
  const processor = compileMachine(processorField ?? 'ItemProcessor', fields.object[processorField ?? 'ItemProcessor']);
  const isDistributed = compileMode(fields, processorField);
  if (!isDistributed) {
    for (const name of ['ItemReader', 'ItemBatcher', 'ResultWriter']) {
      if (fields.has(name))
        fields.diagnostics.add(
          `The field '${name}' is only supported in a Map state of the mode DISTRIBUTED`,
          fields.at(name),
        );
    }
  }
  const numbers = {
    maxConcurrency: fields.number('MaxConcurrency', { from: 0 }, notInteger) ?? (() => 0),
    toleratedCount: fields.number('ToleratedFailureCount', { from: 0 }, notLong),
    toleratedPercentage: fields.number('ToleratedFailurePercentage', { from: 0, to: 100 }, notLong),
  };
  const items = language === 'JSONata' ? jsonataItems(fields) : jsonPathItems(fields);
  const selector = compileSelector(fields, language);
  if (!processor) return undefined;
  return { processor, isDistributed, hasReader: fields.has('ItemReader'), items, selector, ...numbers };
}

function compileMode(fields: Fields, processorField: string | undefined): boolean {
  const processor = processorField === undefined ? undefined : fields.object[processorField];
  const config = isObject(processor) ? processor.ProcessorConfig : undefined;
  if (config === undefined) return false;
  const location = `${fields.at(processorField ?? '')}/ProcessorConfig`;
  if (!isObject(config)) {
    fields.diagnostics.add('Expected value of type OBJECT', location);
    return false;
  }
  const { Mode = 'INLINE', ExecutionType } = config;
  if (Mode !== 'INLINE' && Mode !== 'DISTRIBUTED')
    fields.diagnostics.add('Expected one of [INLINE, DISTRIBUTED]', `${location}/Mode`);
  if (Mode === 'DISTRIBUTED' && ExecutionType !== 'STANDARD' && ExecutionType !== 'EXPRESS') {
    fields.diagnostics.add('Expected one of [STANDARD, EXPRESS]', `${location}/ExecutionType`);
  }
  return Mode === 'DISTRIBUTED';
}

function jsonPathItems(fields: Fields): Evaluate<Json[]> {
  const path = fields.path('ItemsPath');
  return (scope) => {
    const items = path ? readField(path, scope) : scope.input;
    if (Array.isArray(items)) return items;
    const place = path ? path.text.replace(/^\$\$/, '$') : '$';
    throw new RuntimeFailure(`Reference path "${place}" must point to array.`);
  };
}

function jsonataItems(fields: Fields): Evaluate<Json[]> {
  const { Items } = fields.object;
  if (Items === undefined) {
    return ({ input }) => {
      if (Array.isArray(input)) return input;
      throw new EvaluationFailure(`Map state input must be an array but was: ${JSON.stringify(input)}`);
    };
  }
  if (isJsonata(Items)) {
    const evaluate = fields.diagnostics.try(fields.at('Items'), () =>
      compileTypedJsonata<Json[]>(Items, 'Items', 'array'),
    );
    return evaluate ?? (() => []);
  }
  if (Array.isArray(Items)) return compileJsonataField(fields, 'Items', Items) as Evaluate<Json[]>;
  fields.diagnostics.add('Expected a JSONata expression or an array', fields.at('Items'));
  return () => [];
}

function compileSelector(fields: Fields, language: QueryLanguage): Evaluate | undefined {
  const name = language === 'JSONPath' && fields.has('Parameters') ? 'Parameters' : 'ItemSelector';
  const template = fields.object[name];
  if (template === undefined) return undefined;
  if (language === 'JSONata') return compileJsonataField(fields, name, template);
  return fields.diagnostics.try(fields.at(name), () => compileJsonPathTemplate(template));
}
