import { afterEach, describe, expect, test } from '@jest/globals';
import type { CloudFormationTemplate } from '@millrace/cloudformation';
import { callAwsJson } from '../../core/aws-json-client.ts';
import { type ServiceOnPort, startServiceOnPort } from '../../service-on-port.ts';
import { glue } from './index.ts';

let server: ServiceOnPort<unknown> | undefined;

afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

interface Parts {
  tableInput?: object;
  storage?: object;
  parameters?: Record<string, string>;
}

const projection = {
  'projection.enabled': 'true',
  'projection.day.type': 'date',
  'projection.day.range': '2026-01-01,NOW+1DAY',
  'projection.day.format': 'yyyy-MM-dd',
  'projection.kind.type': 'enum',
  'projection.kind.values': 'OrderPlaced.v1,OrderCancelled.v1',
};

const tableOf = ({ tableInput, storage, parameters = projection }: Parts) => ({
  Name: 'events',
  TableType: 'EXTERNAL_TABLE',
  Parameters: parameters,
  PartitionKeys: [
    { Name: 'day', Type: 'string' },
    { Name: 'kind', Type: 'string' },
  ],
  StorageDescriptor: {
    Columns: [{ Name: 'detail', Type: 'string' }],
    Location: 's3://lake/events/',
    InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
    OutputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
    SerdeInfo: { SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
    ...storage,
  },
  ...tableInput,
});

async function start(parts: Parts = {}, database: object = { Name: 'shop' }): Promise<ServiceOnPort<unknown>> {
  server = await startServiceOnPort(glue, {
    template: {
      Resources: {
        Shop: {
          Type: 'AWS::Glue::Database',
          Properties: { CatalogId: { Ref: 'AWS::AccountId' }, DatabaseInput: database },
        },
        Events: {
          Type: 'AWS::Glue::Table',
          Properties: { DatabaseName: { Ref: 'Shop' }, TableInput: tableOf(parts) },
        },
      },
    } as CloudFormationTemplate,
  });
  return server;
}

const call = (operation: string, input: object) =>
  callAwsJson(server?.endpoint ?? '', { region: 'us-east-1', service: 'glue', target: `AWSGlue.${operation}` }, input);

// https://docs.aws.amazon.com/glue/latest/webapi/API_GetTable.html
describe('the catalog', () => {
  test('has the databases and tables of templates', async () => {
    await start();
    expect(await call('GetDatabase', { Name: 'shop' })).toMatchObject({
      Database: { Name: 'shop', CatalogId: '000000000000' },
    });
    expect(await call('GetTable', { DatabaseName: 'shop', Name: 'events' })).toMatchObject({
      Table: {
        DatabaseName: 'shop',
        Parameters: projection,
        StorageDescriptor: { Location: 's3://lake/events/' },
      },
    });
    expect(await call('GetTables', { DatabaseName: 'shop', Expression: 'e.*' })).toMatchObject({
      TableList: [{ Name: 'events' }],
    });
    expect(await call('GetTables', { DatabaseName: 'shop', Expression: 'x.*' })).toEqual({ TableList: [] });
    expect(await call('GetPartitions', { DatabaseName: 'shop', TableName: 'events' })).toEqual({ Partitions: [] });
  });

  test.each<[string, object, string]>([
    ['GetDatabase', { Name: 'other' }, 'Database other not found.'],
    ['GetTable', { DatabaseName: 'other', Name: 'events' }, 'Database other not found.'],
    ['GetTable', { DatabaseName: 'shop', Name: 'other' }, 'Table other not found.'],
  ])('%s of %j is EntityNotFoundException', async (operation, input, message) => {
    await start();
    await expect(call(operation, input)).rejects.toMatchObject({ code: 'EntityNotFoundException', message });
  });

  test('says that it does not have the rest of Glue', async () => {
    await start();
    await expect(call('StartCrawler', { Name: 'c' })).rejects.toMatchObject({
      message: 'Glue StartCrawler is not available on this machine',
    });
    await expect(call('GetTables', { DatabaseName: 'shop', Expression: '(' })).rejects.toMatchObject({
      code: 'InvalidInputException',
    });
  });
});

// https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
test('a database has a name that Athena takes', async () => {
  await expect(start({}, { Name: 'my-shop' })).rejects.toThrow(/Resources.Shop.*'my-shop' at 'name'/);
});

// https://docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html
describe('a table is refused', () => {
  test.each<[Parts, string]>([
    [{ tableInput: { Name: 'my-events' } }, 'must be lowercase letters'],
    [{ storage: { Columns: [] } }, 'must have a column'],
    [{ storage: { Columns: [{ Name: 'detail', Type: 'text' }] } }, 'the type "text"'],
    [{ storage: { Columns: [{ Name: 'Day', Type: 'string' }] } }, 'column day is there twice'],
    [{ storage: { Location: 's3://lake/events' } }, 'ends with a slash'],
    [{ storage: { Location: '/lake/' } }, 'Location must be s3://'],
    [{ storage: { InputFormat: '' } }, 'InputFormat'],
    [{ storage: { SerdeInfo: { SerializationLibrary: 'org.openx.JsonSerDe' } } }, 'not a SerDe of Athena'],
  ])('with %j', async (parts, message) => {
    await expect(start(parts)).rejects.toThrow(message);
  });
});

// https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
describe('partition projection is refused', () => {
  const without = (name: string) => Object.fromEntries(Object.entries(projection).filter(([key]) => key !== name));
  const integer = (more: object) => ({
    ...without('projection.kind.values'),
    ...{ 'projection.kind.type': 'integer', 'projection.kind.range': '1,9', ...more },
  });
  test.each<[string, Record<string, string>, string]>([
    ['is neither on nor off', { ...projection, 'projection.enabled': 'yes' }, 'must be true or false'],
    ['lacks the type of a key', without('projection.kind.type'), 'projection.kind.type is missing'],
    ['has an unknown type', { ...projection, 'projection.kind.type': 'list' }, 'must be enum, integer, date, injected'],
    ['has no values', without('projection.kind.values'), 'projection.kind.values is missing'],
    ['has a space in a value', { ...projection, 'projection.kind.values': 'a, b' }, 'the value " b"'],
    ['has a value twice', { ...projection, 'projection.kind.values': 'a,a' }, 'has a value twice'],
    ['has no format', without('projection.day.format'), 'projection.day.format is missing'],
    ['has one bound', { ...projection, 'projection.day.range': '2026-01-01' }, 'two values with a comma'],
    ['has another date', { ...projection, 'projection.day.range': '2026/1/1,NOW' }, 'neither a date as yyyy-MM-dd'],
    ['has an interval of 0', { ...projection, 'projection.day.interval': '0' }, 'a positive whole number'],
    ['has an unknown unit', { ...projection, 'projection.day.interval.unit': 'EPOCHS' }, 'must be YEARS'],
    [
      'lacks the interval of hours',
      { ...projection, 'projection.day.format': 'yyyy-MM-dd-HH', 'projection.day.range': '2026-01-01-00,NOW' },
      'interval.unit must be given',
    ],
    ['has bounds in the wrong order', integer({ 'projection.kind.range': '9,1' }), 'two whole numbers in their order'],
    ['has no digits', integer({ 'projection.kind.digits': 'two' }), 'projection.kind.digits must be a positive'],
    [
      'is of a column that is no key',
      { ...projection, 'projection.hour.type': 'injected' },
      'belongs to no partition key',
    ],
    ['has a member of another type', { ...projection, 'projection.kind.range': '1,2' }, 'or not to one of its type'],
    [
      'has a location without a key',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as in a table
      { ...projection, 'storage.location.template': 's3://lake/${day}/' },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as in a table
      'has no ${kind}',
    ],
    [
      'has a location with another key',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as in a table
      { ...projection, 'storage.location.template': 's3://lake/${day}/${kind}/${hour}/' },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as in a table
      'has ${hour}, which is not a partition key',
    ],
  ])('when it %s', async (_, parameters, message) => {
    await expect(start({ parameters })).rejects.toThrow(message);
  });

  test.each([
    [{ ...projection, 'projection.enabled': 'false', 'projection.kind.type': 'nonsense' }],
    [integer({ 'projection.kind.interval': '2', 'projection.kind.digits': '2' })],
    [{ ...without('projection.kind.values'), 'projection.kind.type': 'INJECTED' }],
    [{ ...projection, 'projection.day.interval': '1', 'projection.day.interval.unit': 'DAY' }],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as in a table
    [{ ...projection, 'storage.location.template': 's3://lake/${day}/${kind}/' }],
  ])('but not with %j', async (parameters) => {
    await start({ parameters: parameters as Record<string, string> });
    expect(await call('GetTable', { DatabaseName: 'shop', Name: 'events' })).toMatchObject({
      Table: { Parameters: parameters },
    });
  });
});
