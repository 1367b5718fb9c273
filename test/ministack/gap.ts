/** Something that MiniStack cannot do and the deployment needed. */
export interface Gap {
  what: string;
  /** Made in another way, or not there at all in this test. */
  how: 'closed' | 'left out';
  reason: string;
  /** `millrace-orders` */
  service: string;
}
