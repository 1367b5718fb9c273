import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CompiledService, type CompiledWorkspace, workspaceRoot } from '../compiled-workspace.ts';
import type { Finding } from '../rule.ts';
import { at, type Entry, entriesOf, isSame, list, referenceTo } from '../template.ts';

/** Whether a delivery stream reads the views of visitors; the other one takes events. */
export function readsViews({ properties }: Pick<Entry, 'properties'>): boolean {
  return properties.KinesisStreamSourceConfiguration !== undefined;
}

/** What Athena knows of what a delivery stream writes: its table, the workgroup and the queries. */
export function catalog(stream: Entry, service: CompiledService, workspace: CompiledWorkspace): Finding[] {
  return [
    ...table(stream, service, workspace),
    ...queries(stream, service),
    ...(readsViews(stream) ? [] : workGroup(stream, service)),
  ];
}

const columnsByTable = {
  events: ['source', 'time', 'detail'],
  views: ['id', 'session_id', 'page', 'sku', 'viewed_at'],
} as const;

/** Partition projection by day, and for events by type. */
function projectionOf(day: string, types: readonly string[] | undefined): Record<string, string> {
  return {
    classification: 'json',
    'projection.enabled': 'true',
    [`projection.${day}.type`]: 'date',
    [`projection.${day}.format`]: 'yyyy-MM-dd',
    [`projection.${day}.range`]: '2026-01-01,NOW+1DAYS',
    [`projection.${day}.interval`]: '1',
    [`projection.${day}.interval.unit`]: 'DAYS',
    ...(types && { 'projection.event_type.type': 'enum' }),
  };
}

/** The table over what a delivery stream writes: events, or views. */
function table(stream: Entry, service: CompiledService, { exampleEvents }: CompiledWorkspace): Finding[] {
  const bucket = referenceTo(at(stream.properties.ExtendedS3DestinationConfiguration, 'BucketARN'));
  const name = readsViews(stream) ? 'views' : 'events';
  const day = readsViews(stream) ? 'view_date' : 'event_date';
  const types = readsViews(stream)
    ? undefined
    : exampleEvents.filter(({ variant }) => variant !== undefined).map(({ detailType }) => detailType);
  const tables = entriesOf(service, 'AWS::Glue::Table').filter(
    ({ properties: { TableInput } }) => at(TableInput, 'Name') === name,
  );
  return [
    ...(tables.length === 1 ? [] : [{ resource: stream.id, problem: `${tables.length} tables are over it, not one` }]),
    ...tables.flatMap(({ id, properties: { TableInput } }) => {
      const { 'projection.event_type.values': values, ...rest } = Object(at(TableInput, 'Parameters'));
      const projected = values === undefined ? [] : String(values).split(',');
      const wanted = types ?? [];
      const keys = list(at(TableInput, 'PartitionKeys'));
      const columns = list(at(TableInput, 'StorageDescriptor', 'Columns'));
      return [
        ...wanted.filter((type) => !projected.includes(type)).map((type) => `has no partitions of ${type}`),
        ...projected
          .filter((type) => !wanted.includes(type))
          .map((type) => `has partitions of ${type}, which no variant has`),
        ...(projected.length === new Set(projected).size ? [] : ['has partitions of a type twice']),
        ...(isSame(rest, projectionOf(day, types))
          ? []
          : [`its partition projection is not by ${types ? 'day and type' : 'day'}`]),
        ...(isSame(keys.map(withoutComment), columnsOf(day, ...(types ? ['event_type'] : [])))
          ? []
          : ['its partition keys are not those of the prefix']),
        ...(isSame(columns.map(withoutComment), columnsOf(...columnsByTable[name]))
          ? []
          : ['its columns are not those that the queries read']),
        ...[...keys, ...columns].flatMap((each) => (at(each, 'Comment') ? [] : ['has a column without a comment'])),
        ...(isSame(at(TableInput, 'StorageDescriptor', 'Location'), placeOf(bucket, name))
          ? []
          : ['is not where the stream delivers']),
      ].map((problem) => ({ resource: id, problem }));
    }),
  ];
}

/** One workgroup asks all tables, and keeps its results in the bucket. */
function workGroup(stream: Entry, service: CompiledService): Finding[] {
  const bucket = referenceTo(at(stream.properties.ExtendedS3DestinationConfiguration, 'BucketARN'));
  const workGroups = entriesOf(service, 'AWS::Athena::WorkGroup');
  return [
    ...(workGroups.length === 1 ? [] : [{ resource: stream.id, problem: 'has no workgroup of its own' }]),
    ...workGroups
      .filter(
        ({ properties }) =>
          !isSame(at(properties.WorkGroupConfiguration, 'ResultConfiguration'), {
            OutputLocation: placeOf(bucket, 'results'),
          }),
      )
      .map(({ id }) => ({ resource: id, problem: 'keeps results elsewhere than below results/ of the lake' })),
  ];
}

function placeOf(bucket: string | undefined, prefix: string): object {
  return { 'Fn::Sub': `s3://\${${bucket}}/${prefix}/` };
}

/** Each query is the text of its file, which tests run on DuckDB, and each file is a query; those of views where there are views. */
function queries(stream: Entry, service: CompiledService): Finding[] {
  const directory = join(workspaceRoot, 'services', service.name, 'lake', 'queries');
  const files = new Map(
    readdirSync(directory).map((file) => [file.replace(/\.sql$/, ''), readFileSync(join(directory, file), 'utf8')]),
  );
  const own = [...files].filter(([, sql]) => /\bFROM views\b/.test(sql) === readsViews(stream)).map(([name]) => name);
  const all = entriesOf(service, 'AWS::Athena::NamedQuery');
  const missing = own.filter((name) => all.every(({ properties: { Name } }) => Name !== name));
  return [
    ...missing.map((name) => ({ resource: stream.id, problem: `no named query has the text of ${name}.sql` })),
    ...all.flatMap(({ id, properties: { Name, QueryString } }) => {
      const sql = files.get(String(Name));
      if (sql === undefined) return [{ resource: id, problem: `has no file ${Name}.sql` }];
      return sql === QueryString ? [] : [{ resource: id, problem: `QueryString is not the text of ${Name}.sql` }];
    }),
  ];
}

function columnsOf(...names: readonly string[]): object[] {
  return names.map((Name) => ({ Name, Type: 'string' }));
}

function withoutComment(column: unknown): object {
  const { Comment: _text, ...rest } = Object(column);
  return rest;
}
