import type { Json } from '../json.ts';

/** One step of a path. */
export type Step =
  | { readonly kind: 'members'; readonly names: readonly string[] }
  | { readonly kind: 'items'; readonly indexes: readonly number[] }
  | { readonly kind: 'slice'; readonly from: number | undefined; readonly to: number | undefined; readonly by: number }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'descendants' }
  | { readonly kind: 'filter'; readonly test: (item: Json, root: Json) => boolean }
  | { readonly kind: 'function'; readonly name: string };

/** A parsed path below a root. */
export interface JsonPath {
  readonly steps: readonly Step[];
  /** It leads to one place at most. Any other gives a list, which may be empty. */
  readonly isDefinite: boolean;
}
