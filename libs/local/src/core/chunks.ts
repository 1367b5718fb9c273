/** How many requests or events AWS bills for so many bytes: one for each chunk that is begun, and at least one. */
export function chunks(bytes: number, chunkKb: number): number {
  return Math.max(1, Math.ceil(bytes / (chunkKb * 1024)));
}
