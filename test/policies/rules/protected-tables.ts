import type { Rule } from '../rule.ts';
import { at, entriesOf } from '../template.ts';

/**
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
 */
export const protectedTables: Rule = {
  name: 'protected-tables',
  why: 'what a table holds in production cannot be made again',
  check(service) {
    if (service.stage !== 'prod') return [];
    return entriesOf(service, 'AWS::DynamoDB::Table').flatMap(
      ({ id, properties, deletionPolicy, updateReplacePolicy }) => {
        const wanted: Array<[string, unknown, unknown]> = [
          [
            'PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled',
            at(properties, 'PointInTimeRecoverySpecification', 'PointInTimeRecoveryEnabled'),
            true,
          ],
          ['DeletionProtectionEnabled', properties.DeletionProtectionEnabled, true],
          ['DeletionPolicy', deletionPolicy, 'Retain'],
          ['UpdateReplacePolicy', updateReplacePolicy, 'Retain'],
        ];
        return wanted
          .filter(([, actual, expected]) => actual !== expected)
          .map(([key, actual, expected]) => ({
            resource: id,
            problem: `${key} is ${actual}, not ${expected}, at prod`,
          }));
      },
    );
  },
};
