import type { Rule } from '../rule.ts';
import { entries } from '../template.ts';

/** The property that names a resource and its longest value, by type, from the service's API reference. */
const limits: Readonly<Record<string, readonly [property: string, characters: number]>> = {
  'AWS::CloudWatch::Alarm': ['AlarmName', 255],
  'AWS::DynamoDB::Table': ['TableName', 255],
  'AWS::Events::Archive': ['ArchiveName', 48],
  'AWS::Events::EventBus': ['Name', 256],
  'AWS::Events::Rule': ['Name', 64],
  'AWS::IAM::Role': ['RoleName', 64],
  'AWS::Lambda::Function': ['FunctionName', 64],
  'AWS::Logs::LogGroup': ['LogGroupName', 512],
  'AWS::Scheduler::Schedule': ['Name', 64],
  'AWS::SNS::Topic': ['TopicName', 256],
  'AWS::SQS::Queue': ['QueueName', 80],
};

/** The suite runs at every stage of custom.consumers.stages, so at the one with the longest name, too. */
export const nameLengths: Rule = {
  name: 'name-lengths',
  why: 'a deployment would fail half way at the stage with the longest name',
  check(service) {
    return entries(service).flatMap(({ id, type, properties }) => {
      const [property, characters] = limits[type] ?? ['', 0];
      const name = properties[property];
      if (name === undefined) return [];
      if (typeof name !== 'string') return [{ resource: id, problem: `${property} is no literal name` }];
      if (name.length <= characters) return [];
      return [{ resource: id, problem: `${property} ${name} has ${name.length} characters, AWS allows ${characters}` }];
    });
  },
};
