import type { PartitionQuery } from './partition-query.ts';
import type { Prefix } from './prefix.ts';

/** The parts of an ExtendedS3DestinationConfiguration that have an effect here. */
export interface S3Destination {
  readonly RoleARN: string;
  readonly BucketARN: string;
  readonly Prefix?: string;
  readonly ErrorOutputPrefix?: string;
  readonly BufferingHints?: { readonly SizeInMBs?: number; readonly IntervalInSeconds?: number };
  readonly CompressionFormat?: string;
  readonly FileExtension?: string;
  readonly CustomTimeZone?: string;
  readonly ProcessingConfiguration?: { readonly Enabled?: boolean; readonly Processors?: readonly Processor[] };
  readonly DynamicPartitioningConfiguration?: { readonly Enabled?: boolean };
  readonly [name: string]: unknown;
}

export interface Processor {
  readonly Type: string;
  readonly Parameters?: readonly { readonly ParameterName: string; readonly ParameterValue: string }[];
}

/** A delivery stream as it is kept. */
export interface DeliveryStream {
  name: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
  destination: S3Destination;
  /** The Kinesis stream that it reads. */
  source?: { KinesisStreamARN: string; RoleARN: string };
  encryption?: Record<string, unknown>;
  tags: Record<string, string>;
  /** It comes from a template, and goes when the template no longer has it. */
  isDeclared: boolean;
}

/** What a destination says, ready to be used. */
export interface DeliveryPlan {
  readonly bufferBytes: number;
  readonly bufferMs: number;
  readonly prefix: Prefix;
  readonly errorPrefix: Prefix;
  readonly isCompressed: boolean;
  readonly extension: string;
  readonly isPartitioned: boolean;
  readonly query: PartitionQuery | undefined;
  readonly delimiter: string;
  readonly transformation:
    | { readonly functionArn: string; readonly bytes: number; readonly retries: number }
    | undefined;
}
