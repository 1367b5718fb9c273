import { s3Error } from '../errors.ts';
import { s3Limits } from '../limits.ts';
import type { Structure } from '../protocol/xml-shape.ts';
import type { ObjectVersion, Tags } from '../store/index.ts';

interface Tag {
  Key: string;
  Value: string;
}

interface Predicates {
  Prefix?: string;
  Tag?: Tag;
  Tags?: Tag[];
  ObjectSizeGreaterThan?: number;
  ObjectSizeLessThan?: number;
}

/** As the API has it. Dates are texts, as the rule has been stored. */
export interface LifecycleRule {
  ID?: string;
  Status: string;
  Prefix?: string;
  Filter?: Predicates & { And?: Predicates };
  Expiration?: { Date?: string; Days?: number; ExpiredObjectDeleteMarker?: boolean };
  Transitions?: { Date?: string; Days?: number; StorageClass: string }[];
  NoncurrentVersionExpiration?: { NoncurrentDays?: number; NewerNoncurrentVersions?: number };
  NoncurrentVersionTransitions?: { NoncurrentDays?: number; NewerNoncurrentVersions?: number; StorageClass: string }[];
  AbortIncompleteMultipartUpload?: { DaysAfterInitiation: number };
}

const transitionClasses = new Set([
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
]);

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
 * @throws S3Error MalformedXML, InvalidRequest or InvalidArgument
 */
export function checkLifecycle({ Rules = [] }: Structure): void {
  const rules = Rules as LifecycleRule[];
  if (rules.length === 0 || rules.length > s3Limits.lifecycleRules) {
    throw s3Error(
      'MalformedXML',
      `A lifecycle configuration must have between 1 and ${s3Limits.lifecycleRules} rules.`,
    );
  }
  const ids = rules.flatMap(({ ID }) => (ID === undefined ? [] : [ID]));
  if (new Set(ids).size < ids.length)
    throw s3Error('InvalidArgument', 'Rule ID must be unique. Found same ID for more than one rule');
  for (const rule of rules) checkRule(rule);
}

function checkRule(rule: LifecycleRule): void {
  const { ID = '', Status, Filter, Prefix, Expiration, Transitions = [], NoncurrentVersionTransitions = [] } = rule;
  const { NoncurrentVersionExpiration: noncurrent, AbortIncompleteMultipartUpload: abort } = rule;
  if (ID.length > 255) throw s3Error('InvalidArgument', 'ID length should not exceed allowed limit of 255');
  if (Status !== 'Enabled' && Status !== 'Disabled')
    throw s3Error('MalformedXML', 'The Status must be Enabled or Disabled.');
  if ((Filter === undefined) === (Prefix === undefined)) {
    throw s3Error('MalformedXML', 'A lifecycle rule must have either a Filter or a Prefix.');
  }
  if (Filter && Object.keys(Filter).length > 1)
    throw s3Error('MalformedXML', 'A Filter with more than one condition must have them in an And.');
  if (!Expiration && Transitions.length + NoncurrentVersionTransitions.length === 0 && !noncurrent && !abort) {
    throw s3Error('InvalidRequest', 'At least one action needs to be specified in a rule');
  }
  if (Expiration && Object.keys(Expiration).length !== 1) {
    throw s3Error('MalformedXML', 'An Expiration must have one of Date, Days and ExpiredObjectDeleteMarker.');
  }
  const days = [
    Expiration?.Days,
    noncurrent?.NoncurrentDays,
    noncurrent?.NewerNoncurrentVersions,
    abort?.DaysAfterInitiation,
  ];
  if (days.some((value) => value !== undefined && value < 1)) {
    throw s3Error('InvalidArgument', "'Days' for lifecycle actions must be a positive integer");
  }
  for (const { StorageClass } of [...Transitions, ...NoncurrentVersionTransitions]) {
    if (!transitionClasses.has(StorageClass))
      throw s3Error('MalformedXML', `Objects cannot transition to ${StorageClass.slice(0, 50)}.`);
  }
  for (const date of [Expiration?.Date, ...Transitions.map(({ Date: date }) => date)]) {
    if (date !== undefined && new Date(date).getTime() % 86_400_000 !== 0) {
      throw s3Error('InvalidArgument', "'Date' must be at midnight GMT");
    }
  }
}

/** Whether a rule is about an object, or about an upload to its key. */
export function isSelected(
  rule: LifecycleRule,
  { key, size, tags }: Pick<ObjectVersion, 'key'> & { size?: number; tags?: Tags },
): boolean {
  const { And, ...single } = rule.Filter ?? {};
  const {
    Prefix = rule.Prefix ?? '',
    Tag,
    Tags: several = [],
    ObjectSizeGreaterThan,
    ObjectSizeLessThan,
  } = { ...single, ...And };
  const wanted = Tag ? [Tag, ...several] : several;
  return (
    key.startsWith(Prefix) &&
    wanted.every(({ Key, Value }) => tags !== undefined && Object.hasOwn(tags, Key) && tags[Key] === Value) &&
    (ObjectSizeGreaterThan === undefined || (size !== undefined && size > ObjectSizeGreaterThan)) &&
    (ObjectSizeLessThan === undefined || (size !== undefined && size < ObjectSizeLessThan))
  );
}
