import type { DeliveryPlan, Processor, S3Destination } from './delivery-stream.ts';
import { invalidArgument, unavailable } from './errors.ts';
import { compilePartitionQuery } from './partition-query.ts';
import { compilePrefix, usesNamespace } from './prefix.ts';

const MIB = 1024 * 1024;
/** https://docs.aws.amazon.com/firehose/latest/APIReference/API_BufferingHints.html */
const SIZE = { minimum: 1, maximum: 128, byDefault: 5, partitionedMinimum: 64, partitionedDefault: 128 };
const INTERVAL = { maximum: 900, byDefault: 300 };
const PROCESSORS = ['Lambda', 'MetadataExtraction', 'AppendDelimiterToRecord'];

/**
 * Checks a destination and makes it ready for use.
 * @throws AwsError InvalidArgumentException for what Firehose would refuse, and for what is not available here
 */
export function planOf(destination: S3Destination): DeliveryPlan {
  const { Prefix = '', ErrorOutputPrefix, CustomTimeZone: timeZone = 'UTC' } = destination;
  checkAvailable(destination);
  const isPartitioned = String(destination.DynamicPartitioningConfiguration?.Enabled) === 'true';
  const usesKeys = usesNamespace(Prefix, 'partitionKeyFromQuery', 'partitionKeyFromLambda');
  if (usesKeys !== isPartitioned) {
    throw invalidArgument('A Prefix has partition keys if, and only if, dynamic partitioning is enabled');
  }
  if (ErrorOutputPrefix === undefined && /!\{/.test(Prefix)) {
    throw invalidArgument('ErrorOutputPrefix cannot be null when Prefix contains expressions');
  }
  if (/!\{/.test(ErrorOutputPrefix ?? '') && !ErrorOutputPrefix?.includes('!{firehose:error-output-type}')) {
    throw invalidArgument('An ErrorOutputPrefix with expressions must contain !{firehose:error-output-type}');
  }
  const processors = processorsOf(destination);
  const query = parameterOf(processors, 'MetadataExtraction', 'MetadataExtractionQuery');
  if (usesNamespace(Prefix, 'partitionKeyFromQuery') && query === undefined) {
    throw invalidArgument('partitionKeyFromQuery needs a MetadataExtraction processor with a MetadataExtractionQuery');
  }
  const isCompressed = destination.CompressionFormat === 'GZIP';
  const errorPrefix = ErrorOutputPrefix ?? `${Prefix}!{firehose:error-output-type}/`;
  return {
    ...buffersOf(destination, isPartitioned),
    prefix: compilePrefix(Prefix, { isError: false, timeZone }),
    errorPrefix: compilePrefix(errorPrefix, { isError: true, timeZone }),
    isCompressed,
    extension: destination.FileExtension ?? (isCompressed ? '.gz' : ''),
    isPartitioned,
    query: query === undefined ? undefined : compilePartitionQuery(query),
    delimiter: delimiterOf(processors),
    transformation: transformationOf(processors),
  };
}

function checkAvailable(destination: S3Destination): void {
  const {
    CompressionFormat = 'UNCOMPRESSED',
    S3BackupMode = 'Disabled',
    DataFormatConversionConfiguration: conversion,
  } = destination;
  if (!['UNCOMPRESSED', 'GZIP'].includes(CompressionFormat))
    throw unavailable(`The CompressionFormat ${CompressionFormat}`);
  if (S3BackupMode !== 'Disabled') throw unavailable(`The S3BackupMode ${String(S3BackupMode)}`);
  if (conversion && String((conversion as { Enabled?: unknown }).Enabled) !== 'false')
    throw unavailable('DataFormatConversionConfiguration');
  for (const { Type } of processorsOf(destination)) {
    if (!PROCESSORS.includes(Type)) throw unavailable(`The processor ${Type}`);
  }
}

function processorsOf({ ProcessingConfiguration }: S3Destination): readonly Processor[] {
  const { Enabled, Processors = [] } = ProcessingConfiguration ?? {};
  return String(Enabled) === 'true' ? Processors : [];
}

function buffersOf(
  { BufferingHints = {} }: S3Destination,
  isPartitioned: boolean,
): { bufferBytes: number; bufferMs: number } {
  const size = Number(BufferingHints.SizeInMBs ?? (isPartitioned ? SIZE.partitionedDefault : SIZE.byDefault));
  const seconds = Number(BufferingHints.IntervalInSeconds ?? INTERVAL.byDefault);
  const minimum = isPartitioned ? SIZE.partitionedMinimum : SIZE.minimum;
  if (!(size >= minimum && size <= SIZE.maximum)) {
    throw invalidArgument(`BufferingHints.SizeInMBs must be from ${minimum} to ${SIZE.maximum}, not ${size}`);
  }
  if (!(seconds >= 0 && seconds <= INTERVAL.maximum)) {
    throw invalidArgument(`BufferingHints.IntervalInSeconds must be from 0 to ${INTERVAL.maximum}, not ${seconds}`);
  }
  return { bufferBytes: size * MIB, bufferMs: seconds * 1000 };
}

function parameterOf(processors: readonly Processor[], type: string, name: string): string | undefined {
  const found = processors.find(({ Type }) => Type === type);
  return found?.Parameters?.find(({ ParameterName }) => ParameterName === name)?.ParameterValue;
}

function delimiterOf(processors: readonly Processor[]): string {
  if (!processors.some(({ Type }) => Type === 'AppendDelimiterToRecord')) return '';
  return (parameterOf(processors, 'AppendDelimiterToRecord', 'Delimiter') ?? '\\n').replaceAll('\\n', '\n');
}

/** https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html */
function transformationOf(processors: readonly Processor[]): DeliveryPlan['transformation'] {
  if (!processors.some(({ Type }) => Type === 'Lambda')) return undefined;
  const functionArn = parameterOf(processors, 'Lambda', 'LambdaArn');
  if (functionArn === undefined) throw invalidArgument('A Lambda processor needs the parameter LambdaArn');
  const size = Number(parameterOf(processors, 'Lambda', 'BufferSizeInMBs') ?? 1);
  if (!(size >= 0.2 && size <= 3)) throw invalidArgument(`BufferSizeInMBs must be from 0.2 to 3, not ${size}`);
  return { functionArn, bytes: size * MIB, retries: Number(parameterOf(processors, 'Lambda', 'NumberOfRetries') ?? 3) };
}
