import { arnOf, stableDigest, stableUuid } from '@millrace/cloudformation';
import type { ResourceType } from '../core/service.ts';

const NOT_ENFORCED =
  'of the policies of resources, those of buses, queues, topics and buckets are enforced on this machine';
const NOT_CREATED = 'it is read where permissions are enforced, and not created';
const NO_REGISTRY = 'schemas are not served on this machine';

/** Resource types of services that are not here. Templates may have them; they have no effect, for the reason given. */
export const inertResourceTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::IAM::Role': {
    nameProperty: 'RoleName',
    attributes: {
      Arn: (r) => `arn:aws:iam::${r.accountId}:role/${r.name}`,
      RoleId: (r) => `AROA${stableDigest(r).slice(0, 17).toUpperCase()}`,
    },
    inert: NOT_CREATED,
  },
  'AWS::IAM::Policy': { nameProperty: 'PolicyName', attributes: { Id: stableUuid }, inert: NOT_CREATED },
  'AWS::IAM::ManagedPolicy': {
    nameProperty: 'ManagedPolicyName',
    ref: (r) => `arn:aws:iam::${r.accountId}:policy/${r.name}`,
    attributes: { PolicyArn: (r) => `arn:aws:iam::${r.accountId}:policy/${r.name}` },
    inert: NOT_CREATED,
  },
  'AWS::EventSchemas::RegistryPolicy': { ref: stableUuid, attributes: { Id: stableUuid }, inert: NOT_ENFORCED },
  'AWS::EventSchemas::Registry': {
    nameProperty: 'RegistryName',
    ref: arnOf('schemas', (r) => `registry/${r.name}`),
    attributes: { RegistryArn: arnOf('schemas', (r) => `registry/${r.name}`), RegistryName: (r) => r.name },
    inert: NO_REGISTRY,
  },
  'AWS::EventSchemas::Schema': {
    nameProperty: 'SchemaName',
    ref: arnOf('schemas', (r) => `schema/${String(r.property('RegistryName'))}/${r.name}`),
    attributes: {
      SchemaArn: arnOf('schemas', (r) => `schema/${String(r.property('RegistryName'))}/${r.name}`),
      SchemaName: (r) => r.name,
      SchemaVersion: () => '1',
    },
    inert: NO_REGISTRY,
  },
  'AWS::EventSchemas::Discoverer': {
    ref: arnOf('schemas', (r) => `discoverer/${stableUuid(r)}`),
    attributes: { DiscovererArn: arnOf('schemas', (r) => `discoverer/${stableUuid(r)}`), DiscovererId: stableUuid },
    inert: NO_REGISTRY,
  },
};
