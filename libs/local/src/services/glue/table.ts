import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import { checkInput, list, mapOf, required, structure, text, whole } from '../../core/shapes.ts';
import { type Column, checkProjection } from './partition-projection.ts';

/** What Athena can read, by the class of its SerDe. https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html */
const SERDES = [
  'org.openx.data.jsonserde.JsonSerDe',
  'org.apache.hive.hcatalog.data.JsonSerDe',
  'com.amazon.ionhiveserde.IonHiveSerDe',
  'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
  'org.apache.hadoop.hive.ql.io.orc.OrcSerde',
  'org.apache.hadoop.hive.serde2.avro.AvroSerDe',
  'org.apache.hadoop.hive.serde2.OpenCSVSerde',
  'org.apache.hadoop.hive.serde2.RegexSerDe',
  'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe',
  'com.amazonaws.glue.serde.GrokSerDe',
];
/** https://docs.aws.amazon.com/athena/latest/ug/data-types.html */
const TYPE =
  /^(boolean|tinyint|smallint|int|integer|bigint|float|double|string|binary|date|timestamp|decimal\(\d+,\s*\d+\)|(var)?char\(\d+\)|(array|map|struct)<.+>)$/i;

const name = text({ min: 1, max: 255 });
const column = structure({ Name: required(name), Type: text({ max: 131_072 }), Comment: text({ max: 255 }) });
const parameters = mapOf(text({ max: 512_000 }));
// https://docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html
const tableInput = structure({
  Name: name,
  Description: text({ max: 2048 }),
  TableType: text({ max: 255 }),
  Retention: whole({ min: 0 }),
  Parameters: parameters,
  PartitionKeys: list(column),
  StorageDescriptor: structure({
    Columns: list(column),
    Location: text({ max: 2056 }),
    InputFormat: text({ max: 128 }),
    OutputFormat: text({ max: 128 }),
    SerdeInfo: structure({
      Name: text({ max: 255 }),
      SerializationLibrary: text({ max: 255 }),
      Parameters: parameters,
    }),
  }),
});

/** A table as its template has it. */
export interface Table {
  readonly Name: string;
  readonly DatabaseName: string;
  readonly PartitionKeys?: readonly Column[];
  readonly Parameters?: Readonly<Record<string, string>>;
  readonly StorageDescriptor?: {
    readonly Columns?: readonly Column[];
    readonly Location?: string;
    readonly InputFormat?: string;
    readonly OutputFormat?: string;
    readonly SerdeInfo?: { readonly SerializationLibrary?: string; readonly Parameters?: Record<string, string> };
  };
  readonly [member: string]: unknown;
}

/**
 * Checks the input of a table over objects of S3.
 *
 * @throws AwsError ValidationException for what Glue would refuse, InvalidInputException for what no query of Athena could read
 */
export function checkTable(input: Input): void {
  checkInput(tableInput, input);
  const { PartitionKeys = [], Parameters = {}, StorageDescriptor = {} } = input as unknown as Table;
  const { Columns = [], Location, InputFormat, OutputFormat, SerdeInfo = {} } = StorageDescriptor;
  const names = [...Columns, ...PartitionKeys].map(({ Name }) => Name.toLowerCase());
  const twice = names.find((each, index) => names.indexOf(each) < index);
  if (twice !== undefined) throw invalid(`The column ${twice} is there twice; names differ by more than their case`);
  for (const { Name, Type = '' } of [...Columns, ...PartitionKeys]) {
    if (!TYPE.test(Type)) throw invalid(`The column ${Name} has the type "${Type}", which Athena does not know`);
  }
  if (Columns.length === 0) throw invalid('StorageDescriptor.Columns must have a column');
  if (Location === undefined || !/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/(.*\/)?$/.test(Location)) {
    throw invalid(
      `StorageDescriptor.Location must be s3://<bucket>/ or a prefix that ends with a slash, not ${Location}`,
    );
  }
  if (!InputFormat || !OutputFormat) throw invalid('StorageDescriptor needs an InputFormat and an OutputFormat');
  const { SerializationLibrary: serde = '' } = SerdeInfo;
  if (!SERDES.includes(serde)) {
    throw invalid(`SerdeInfo.SerializationLibrary "${serde}" is not a SerDe of Athena, such as ${SERDES[0]}`);
  }
  checkProjection(Parameters, PartitionKeys);
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidInputException', message);
}
