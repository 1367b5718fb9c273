/** Something that workers outside of AWS do. */
export interface Activity {
  readonly arn: string;
  readonly name: string;
  readonly createdAt: number;
  readonly tags: Record<string, string>;
}
