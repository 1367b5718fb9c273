/**
 * What requests and answers are made of, for both protocols: `name` is what lists and maps are called in the query
 * protocol, which flattens them: `AttributeName.1=All`, `Attribute.1.Name=DelaySeconds&Attribute.1.Value=5`.
 */
export type Shape =
  | { readonly type: 'string' | 'integer' | 'boolean' }
  | { readonly type: 'list'; readonly name: string; readonly of: Shape }
  | { readonly type: 'map'; readonly name: string; readonly key: string; readonly value: string; readonly of: Shape }
  | { readonly type: 'structure'; readonly members: Members; readonly required: readonly string[] };

export type Members = Readonly<Record<string, Shape>>;

export const string = { type: 'string' } as const;
export const integer = { type: 'integer' } as const;
export const boolean = { type: 'boolean' } as const;

export function list<const Name extends string, const Of extends Shape>(name: Name, of: Of) {
  return { type: 'list', name, of } as const;
}

export function map<const Of extends Shape>(name: string, [key, value]: readonly [string, string], of: Of) {
  return { type: 'map', name, key, value, of } as const;
}

export function structure<const M extends Members, const Required extends readonly (keyof M & string)[]>(
  members: M,
  required: Required,
) {
  return { type: 'structure', members, required } as const;
}

/** The TypeScript type of what has a shape. */
export type Value<S> = S extends { type: 'string' }
  ? string
  : S extends { type: 'integer' }
    ? number
    : S extends { type: 'boolean' }
      ? boolean
      : S extends { type: 'list'; of: infer Of }
        ? Value<Of>[]
        : S extends { type: 'map'; of: infer Of }
          ? Record<string, Value<Of>>
          : S extends { type: 'structure'; members: infer M; required: readonly (infer R)[] }
            ? { [K in keyof M as K extends R ? K : never]: Value<M[K]> } & {
                [K in keyof M as K extends R ? never : K]?: Value<M[K]> | undefined;
              }
            : never;
