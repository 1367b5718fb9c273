import { AwsError } from '../../core/aws-error.ts';

/** A column, as the catalog has it. */
export interface Column {
  readonly Name: string;
  readonly Type?: string;
}

type Settings = Readonly<Record<string, string>>;

const TYPES = ['enum', 'integer', 'date', 'injected'] as const;
type ProjectionType = (typeof TYPES)[number];

/** Beside `type`. https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html */
const MEMBERS: Readonly<Record<ProjectionType, readonly string[]>> = {
  enum: ['values'],
  integer: ['range', 'interval', 'digits'],
  date: ['range', 'format', 'interval', 'interval.unit'],
  injected: [],
};
const UNITS = ['YEARS', 'MONTHS', 'WEEKS', 'DAYS', 'HOURS', 'MINUTES', 'SECONDS', 'MILLIS'];
/** e.g. `NOW`, `NOW-3YEARS`, `NOW+1MONTH`; a fixed date has the column's own format. */
const RELATIVE_DATE = /^NOW\s*([+-]\s*\d+\s*(YEARS?|MONTHS?|WEEKS?|DAYS?|HOURS?|MINUTES?|SECONDS?))?$/;
const PREFIX = 'projection.';

/**
 * Checks what the parameters of a table say of partition projection. A query of Athena would fail, or find nothing, with what is
 * refused here.
 *
 * @param partitionKeys of the table
 * @throws AwsError InvalidInputException that names the parameter
 * https://docs.aws.amazon.com/athena/latest/ug/partition-projection-setting-up.html
 */
export function checkProjection(parameters: Settings, partitionKeys: readonly Column[]): void {
  const names = Object.keys(parameters).filter((name) => name.startsWith(PREFIX));
  const enabled = parameters['projection.enabled'] ?? 'false';
  if (!/^(true|false)$/i.test(enabled)) throw invalid('projection.enabled', `must be true or false, not ${enabled}`);
  if (enabled.toLowerCase() === 'false') return;
  if (partitionKeys.length === 0) throw invalid('projection.enabled', 'needs PartitionKeys');
  const known = new Set(['projection.enabled']);
  for (const { Name, Type = 'string' } of partitionKeys) {
    for (const name of checkColumn(Name, Type, parameters)) known.add(name);
  }
  const other = names.find((name) => !known.has(name));
  if (other !== undefined) throw invalid(other, 'belongs to no partition key, or not to one of its type');
  checkLocationTemplate(parameters['storage.location.template'], partitionKeys);
}

/** @returns the parameters that the column may have */
function checkColumn(column: string, columnType: string, parameters: Settings): string[] {
  const of = (member: string): string | undefined => parameters[`${PREFIX}${column}.${member}`]?.trim();
  const name = (member: string): string => `${PREFIX}${column}.${member}`;
  const type = of('type')?.toLowerCase();
  if (type === undefined) throw invalid(name('type'), `is missing: ${column} is a partition key`);
  if (!isType(type)) throw invalid(name('type'), `must be ${TYPES.join(', ')}, not ${type}`);
  if (type === 'enum') checkEnum(name('values'), parameters[name('values')]);
  if (type === 'integer') checkInteger(name, of, columnType);
  if (type === 'date') checkDate(name, of, columnType);
  return ['type', ...MEMBERS[type]].map(name);
}

function checkEnum(name: string, values: string | undefined): void {
  if (values === undefined || values === '') throw invalid(name, 'is missing: write a list such as A,B,C');
  const list = values.split(',');
  // White space is part of a value, so no object would be found below it.
  const wrong = list.find((value) => value === '' || value.trim() !== value);
  if (wrong !== undefined) throw invalid(name, `has the value "${wrong}": write a list without white space`);
  if (new Set(list).size < list.length) throw invalid(name, 'has a value twice');
}

type Name = (member: string) => string;
type Of = (member: string) => string | undefined;

function checkInteger(name: Name, of: Of, columnType: string): void {
  if (!['tinyint', 'smallint', 'int', 'integer', 'bigint', 'string'].includes(columnType.toLowerCase())) {
    throw invalid(name('type'), `is integer, and its column is of the type ${columnType}`);
  }
  const bounds = boundsOf(name('range'), of('range'));
  if (!bounds.every((bound) => /^-?\d+$/.test(bound)) || Number(bounds[0]) > Number(bounds[1])) {
    throw invalid(name('range'), `must be two whole numbers in their order, not ${of('range')}`);
  }
  checkPositive(name('interval'), of('interval'));
  checkPositive(name('digits'), of('digits'));
}

function checkDate(name: Name, of: Of, columnType: string): void {
  if (!['string', 'date', 'timestamp'].includes(columnType.toLowerCase())) {
    throw invalid(name('type'), `is date, and its column is of the type ${columnType}`);
  }
  const format = of('format');
  if (format === undefined) throw invalid(name('format'), 'is missing: write a pattern such as yyyy-MM-dd');
  for (const bound of boundsOf(name('range'), of('range'))) {
    const isDate = bound.length === format.replaceAll("'", '').length && /\d/.test(bound);
    if (!RELATIVE_DATE.test(bound) && !isDate) {
      throw invalid(name('range'), `has ${bound}, which is neither a date as ${format} nor one such as NOW-3YEARS`);
    }
  }
  checkPositive(name('interval'), of('interval'));
  const unit = of('interval.unit');
  if (unit !== undefined && !UNITS.includes(unit.toUpperCase().replace(/([^S])$/, '$1S'))) {
    throw invalid(name('interval.unit'), `must be ${UNITS.join(', ')}, not ${unit}`);
  }
  // Days and months have an interval of their own; any other precision has to say it.
  const isByDay = /d/.test(format) && !/[HhmsS]/.test(format);
  const isByMonth = /M/.test(format) && !/[dHhmsS]/.test(format);
  if (!isByDay && !isByMonth && (unit === undefined || of('interval') === undefined)) {
    throw invalid(name('interval'), `and interval.unit must be given for the format ${format}`);
  }
}

function boundsOf(name: string, range: string | undefined): string[] {
  const bounds = (range ?? '').split(',').map((bound) => bound.trim());
  if (bounds.length !== 2 || bounds.includes('')) throw invalid(name, 'must be two values with a comma between them');
  return bounds;
}

function checkPositive(name: string, value: string | undefined): void {
  if (value !== undefined && !/^[1-9]\d*$/.test(value)) {
    throw invalid(name, `must be a positive whole number, not ${value}`);
  }
}

/** https://docs.aws.amazon.com/athena/latest/ug/partition-projection-setting-up.html#partition-projection-specifying-custom-s3-storage-locations */
function checkLocationTemplate(template: string | undefined, partitionKeys: readonly Column[]): void {
  const name = 'storage.location.template';
  if (template === undefined) return;
  if (!/^s3:\/\/[^/]+\//.test(template)) throw invalid(name, `must begin with s3://<bucket>/, not ${template}`);
  if (!template.endsWith('/')) throw invalid(name, 'must end with a slash');
  const used = [...template.matchAll(/\$\{([^}]*)\}/g)].map(([, column = '']) => column);
  const missing = partitionKeys.find(({ Name }) => !used.includes(Name));
  if (missing) throw invalid(name, `has no \${${missing.Name}}`);
  const other = used.find((column) => partitionKeys.every(({ Name }) => Name !== column));
  if (other !== undefined) throw invalid(name, `has \${${other}}, which is not a partition key`);
}

function isType(type: string): type is ProjectionType {
  return (TYPES as readonly string[]).includes(type);
}

function invalid(parameter: string, problem: string): AwsError {
  return new AwsError('InvalidInputException', `${parameter} ${problem}`);
}
