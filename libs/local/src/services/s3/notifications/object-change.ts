/** The kinds of changes that S3 tells of here, in the words of a notification configuration without `s3:`. */
export type ObjectEvent =
  | 'ObjectCreated:Put'
  | 'ObjectCreated:Post'
  | 'ObjectCreated:Copy'
  | 'ObjectCreated:CompleteMultipartUpload'
  | 'ObjectRemoved:Delete'
  | 'ObjectRemoved:DeleteMarkerCreated'
  | 'LifecycleExpiration:Delete'
  | 'LifecycleExpiration:DeleteMarkerCreated'
  | 'LifecycleTransition'
  | 'ObjectTagging:Put'
  | 'ObjectTagging:Delete';

/** A change of an object. */
export interface ObjectChange {
  event: ObjectEvent;
  bucket: string;
  key: string;
  /** The operation that made it; undefined for S3 itself. */
  operation?: string;
  size?: number;
  etag?: string;
  /** Of a bucket with versions. */
  versionId?: string | undefined;
  /** The class that a transition leads to. */
  storageClass?: string;
}
