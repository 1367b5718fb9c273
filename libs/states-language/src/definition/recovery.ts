import { errorNames } from '../failure.ts';
import { isObject } from '../json.ts';
import { compileCatcherFlow } from './data-flow.ts';
import { Fields } from './fields.ts';
import type { Catcher, QueryLanguage, Retrier } from './machine.ts';

const retrierFields = [
  'ErrorEquals',
  'IntervalSeconds',
  'MaxAttempts',
  'BackoffRate',
  'MaxDelaySeconds',
  'JitterStrategy',
  'Comment',
];
const catcherFields = {
  JSONPath: ['ErrorEquals', 'Next', 'ResultPath', 'Assign', 'Comment'],
  JSONata: ['ErrorEquals', 'Next', 'Output', 'Assign', 'Comment'],
};

/** https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html */
export function compileRecovery(fields: Fields, language: QueryLanguage): { retry: Retrier[]; catch: Catcher[] } {
  return {
    retry: entriesOf(fields, 'Retry').map((entry) => compileRetrier(entry)),
    catch: entriesOf(fields, 'Catch').map((entry) => compileCatcher(entry, language)),
  };
}

function entriesOf(fields: Fields, name: string): Fields[] {
  const list = fields.object[name];
  if (list === undefined) return [];
  if (!Array.isArray(list)) {
    fields.diagnostics.add('Expected value of type ARRAY', fields.at(name));
    return [];
  }
  return list.flatMap((entry, index) => {
    const location = `${fields.at(name)}[${index}]`;
    if (isObject(entry)) {
      const read = new Fields(entry, location, fields.diagnostics);
      checkErrors(read, index === list.length - 1);
      return [read];
    }
    fields.diagnostics.add('Expected value of type OBJECT', location);
    return [];
  });
}

/** States.ALL must be alone in its list, in the last entry. */
function checkErrors(fields: Fields, isLast: boolean): void {
  fields.needs('ErrorEquals');
  const errors = errorsOf(fields);
  if (errors.length === 0 && fields.has('ErrorEquals')) {
    fields.diagnostics.add(
      'Expected value of type ARRAY of names of errors that is not empty',
      fields.at('ErrorEquals'),
    );
  }
  if (!errors.includes(errorNames.all)) return;
  if (errors.length > 1) fields.diagnostics.add('States.ALL must appear alone', fields.at('ErrorEquals'));
  if (!isLast) fields.diagnostics.add('States.ALL must appear in the last entry', fields.at('ErrorEquals'));
}

function errorsOf(fields: Fields): string[] {
  const { ErrorEquals } = fields.object;
  return Array.isArray(ErrorEquals) ? ErrorEquals.filter((name) => typeof name === 'string') : [];
}

function compileRetrier(fields: Fields): Retrier {
  fields.allow(retrierFields, 'in a retrier');
  const { BackoffRate = 2, JitterStrategy = 'NONE' } = fields.object;
  if (typeof BackoffRate !== 'number' || BackoffRate < 1) {
    fields.diagnostics.add('Expected a number that is at least 1', fields.at('BackoffRate'));
  }
  if (JitterStrategy !== 'NONE' && JitterStrategy !== 'FULL') {
    fields.diagnostics.add('Expected one of [FULL, NONE]', fields.at('JitterStrategy'));
  }
  return {
    errors: errorsOf(fields),
    intervalSeconds: fields.integer('IntervalSeconds', 1) ?? 1,
    maxAttempts: fields.integer('MaxAttempts', 0) ?? 3,
    backoffRate: Number(BackoffRate),
    maxDelaySeconds: fields.integer('MaxDelaySeconds', 1, 31_622_400),
    hasFullJitter: JitterStrategy === 'FULL',
  };
}

function compileCatcher(fields: Fields, language: QueryLanguage): Catcher {
  fields.allow(catcherFields[language], `in a catcher of the ${language} language`);
  fields.needs('Next');
  return { errors: errorsOf(fields), next: fields.text('Next') ?? '', complete: compileCatcherFlow(fields, language) };
}
