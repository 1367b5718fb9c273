import { randomBytes } from 'node:crypto';

const traceparentPattern = /^00-([0-9a-f]{8})([0-9a-f]{24})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/**
 * Marks a re-emission beside the event: the X-Ray header of the trace the event already belongs to, with the number of
 * the re-emission as an additional field. EventBridge hands it to SQS targets as `AWSTraceHeader`, and neither archives
 * nor replays it. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-related-service-xray.html
 *
 * @param traceparent of the event's metadata, if it has one
 * @param reemission 1 for the first
 */
export function reemissionTraceHeader(traceparent: unknown, reemission: number): string {
  const parts = traceparentPattern.exec(typeof traceparent === 'string' ? traceparent : '');
  const epoch = Math.floor(Date.now() / 1000)
    .toString(16)
    .padStart(8, '0');
  const [, time = epoch, unique = hex(12), parent = hex(8), flags = '00'] = parts ?? [];
  const sampled = Number.parseInt(flags, 16) & 1;
  return `Root=1-${time}-${unique};Parent=${parent};Sampled=${sampled};Reemission=${reemission}`;
}

function hex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
