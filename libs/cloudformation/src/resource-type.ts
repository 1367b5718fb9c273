import { createHash } from 'node:crypto';

/** What a resource's Ref and attributes are computed from. */
export interface ResourceIdentity {
  stackName: string;
  logicalId: string;
  /** The physical name: the template's, or one CloudFormation would have made up. */
  name: string;
  region: string;
  accountId: string;
  /** Origin of the AWS port, e.g. `http://127.0.0.1:4566`; queue URLs begin with it. */
  awsUrl: string;
  /** Reads one resolved property of the resource. */
  property: (name: string) => unknown;
}

/** Computes what Ref or an attribute gives for a resource. */
export type Attribute = (resource: ResourceIdentity) => string;

/** What Ref and Fn::GetAtt give for the resources of a type, as its reference page has it. */
export interface ResourceType {
  /** The property that names the resource. Without one the physical id is made up. */
  nameProperty?: string;
  /** What Ref gives; the name unless given. */
  ref?: Attribute;
  attributes: Readonly<Record<string, Attribute>>;
  /** Attributes that are known only after the resource has been created, with a value of the same form to check templates by. */
  attributesAfterCreation?: Readonly<Record<string, Attribute>>;
}

/**
 * An ARN of the account and region.
 *
 * @example
 * const attributes = { Arn: arnOf('sqs', ({ name }) => name) };
 */
export const arnOf =
  (service: string, resource: (identity: ResourceIdentity) => string): Attribute =>
  (identity) =>
    `arn:aws:${service}:${identity.region}:${identity.accountId}:${resource(identity)}`;

/** A stable stand-in for the ids that AWS draws at random: the same stack and logical id give the same value on every start. */
export function stableDigest({ stackName, logicalId }: Pick<ResourceIdentity, 'stackName' | 'logicalId'>): string {
  return createHash('sha256').update(`${stackName}/${logicalId}`).digest('hex');
}

/** A stable id of ten characters, as API Gateway has them. */
export const stableId: Attribute = (identity) => stableDigest(identity).slice(0, 10);

/** A stable UUID. */
export const stableUuid: Attribute = (identity) => {
  const hex = stableDigest(identity);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

/** The physical name CloudFormation would make up for a resource without one, with a stable end instead of a random one. */
export function generatedName(stackName: string, logicalId: string): string {
  return `${stackName}-${logicalId}-${stableDigest({ stackName, logicalId }).slice(0, 12).toUpperCase()}`;
}

/** A stand-in for an attribute of a type that is not known: it names what it stands for. */
export function unknownTypeAttribute(identity: ResourceIdentity, type: string, attribute: string): string {
  const service = type.split('::')[1]?.toLowerCase() ?? 'unknown';
  return attribute === 'Arn' ? arnOf(service, (r) => r.name)(identity) : `${identity.name}.${attribute}`;
}
