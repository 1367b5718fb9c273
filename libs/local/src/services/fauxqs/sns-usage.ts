/** A long SMS is sent, and billed, in parts. https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html */
export function textMessageParts(text: string): number {
  const isAscii = Buffer.byteLength(text) === text.length;
  const [alone, each] = isAscii ? [160, 153] : [70, 67];
  return text.length <= alone ? 1 : Math.ceil(text.length / each);
}
