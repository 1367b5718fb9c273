import { list, oneOf, required, structure, text, time, whole } from '../../core/shapes.ts';

// The constraints of https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html

const name = text({ min: 1, max: 64, pattern: /^[0-9a-zA-Z-_.]+$/ });
const clientToken = text({ min: 1, max: 64, pattern: /^[a-zA-Z0-9-_]+$/ });
const state = oneOf('ENABLED', 'DISABLED');

const target = structure({
  Arn: required(text({ min: 1, max: 1600 })),
  RoleArn: required(text({ min: 1, max: 1600, pattern: /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/ })),
  DeadLetterConfig: structure({
    Arn: text({ min: 1, max: 1600, pattern: /^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[a-zA-Z0-9\-_]+$/ }),
  }),
  RetryPolicy: structure({
    MaximumEventAgeInSeconds: whole({ min: 60, max: 86_400 }),
    MaximumRetryAttempts: whole({ min: 0, max: 185 }),
  }),
  Input: text({ min: 1 }),
  EventBridgeParameters: structure({
    DetailType: required(text({ min: 1, max: 128 })),
    Source: required(
      text({ min: 1, max: 256, pattern: /^(?=[/.\-_A-Za-z0-9]+)((?!aws\.).*)|(\$(\.[\w_-]+(\[(\d+|\*)\])*)*)$/ }),
    ),
  }),
  KinesisParameters: structure({ PartitionKey: required(text({ min: 1, max: 256 })) }),
  SqsParameters: structure({ MessageGroupId: text({ min: 1, max: 128 }) }),
});

export const schedule = structure({
  Name: required(name),
  GroupName: name,
  ScheduleExpression: required(text({ min: 1, max: 256 })),
  ScheduleExpressionTimezone: text({ min: 1, max: 50 }),
  StartDate: time(),
  EndDate: time(),
  Description: text({ min: 0, max: 512 }),
  State: state,
  KmsKeyArn: text({ min: 1, max: 2048, pattern: /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)\/[0-9a-zA-Z-_]*$/ }),
  Target: required(target),
  FlexibleTimeWindow: required(
    structure({ Mode: required(oneOf('OFF', 'FLEXIBLE')), MaximumWindowInMinutes: whole({ min: 1, max: 1440 }) }),
  ),
  ClientToken: clientToken,
  ActionAfterCompletion: oneOf('NONE', 'DELETE'),
});

export const scheduleName = structure({ Name: required(name), GroupName: name, ClientToken: clientToken });

export const listSchedules = structure({
  GroupName: name,
  NamePrefix: name,
  State: state,
  MaxResults: whole({ min: 1, max: 100 }),
  NextToken: text({ min: 1, max: 2048 }),
});

const tag = structure({ Key: required(text({ min: 1, max: 128 })), Value: required(text({ min: 1, max: 256 })) });
const resourceArn = text({
  min: 1,
  max: 1011,
  pattern: /^arn:aws[a-z-]*:scheduler:[a-z0-9-]+:\d{12}:schedule-group\/[0-9a-zA-Z-_.]+$/,
});

export const group = structure({ Name: required(name), Tags: list(tag, { max: 200 }), ClientToken: clientToken });
export const groupName = structure({ Name: required(name), ClientToken: clientToken });
export const listTags = structure({ ResourceArn: required(resourceArn) });
export const tagResource = structure({ ResourceArn: required(resourceArn), Tags: required(list(tag, { max: 200 })) });
export const untagResource = structure({
  ResourceArn: required(resourceArn),
  TagKeys: required(list(text({ min: 1, max: 128 }), { max: 50 })),
});
