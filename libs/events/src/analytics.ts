import type { Personal, PersonId } from '@millrace/privacy/personal';
import type * as z from 'zod';

/** What a contract declares of its data for analytics: all that is not named stays inside the domain. */
export interface AnalyticsDeclaration<Field extends string, Pseudonym extends string> {
  /** Fields that leave as they are, by their paths: `orderId`, `total.amount`, `lines[].sku`. */
  fields: readonly Field[];
  /** Ids of persons (see `personId`) that leave as a pseudonym: the same for the same person, and useless without the stage's key. */
  pseudonyms?: readonly Pseudonym[];
}

/** The pseudonym of a person's id: the same for the same id, and not to be calculated without a key. */
export type Pseudonymize = (personId: string) => string;

/**
 * The paths of a schema that may leave. Fields that are marked as `personal` or `personId` are not among them, nor are records and
 * values that may be anything: their names and contents come from the data.
 */
export type AnalyticsField<Schema> = Exclude<PathOf<Schema, 'field'>, ''>;

/** The paths of a schema that are marked as the id of a person. */
export type AnalyticsPseudonym<Schema> = Exclude<PathOf<Schema, 'person id'>, ''>;

type PathOf<Schema, Kind extends 'field' | 'person id'> =
  Schema extends Personal<unknown>
    ? never
    : Schema extends PersonId<unknown>
      ? Kind extends 'person id'
        ? ''
        : never
      : Schema extends z.ZodOptional<infer Inner> | z.ZodNullable<infer Inner> | z.ZodReadonly<infer Inner>
        ? PathOf<Inner, Kind>
        : Schema extends z.ZodObject<infer Shape>
          ? { [Name in keyof Shape & string]: Joined<Name, PathOf<Shape[Name], Kind>> }[keyof Shape & string]
          : Schema extends z.ZodArray<infer Element>
            ? Listed<PathOf<Element, Kind>>
            : Schema extends z.ZodType<string | number | boolean | null>
              ? Kind extends 'field'
                ? ''
                : never
              : never;

type Joined<Name extends string, Path extends string> = Path extends '' | `[]${string}`
  ? `${Name}${Path}`
  : `${Name}.${Path}`;

type Listed<Path extends string> = Path extends '' | `[]${string}` ? `[]${Path}` : `[].${Path}`;

/** What is left of data of which some paths leave. */
export type AnalyticsData<Data, Path extends string> = {
  [Name in keyof Data as Name extends HeadOf<Path> ? Name : never]: Name extends string
    ? Left<Data[Name], RestOf<Path, Name>>
    : never;
};

type HeadOf<Path extends string> = Path extends `${infer Head}.${string}` ? NameOf<Head> : NameOf<Path>;
type NameOf<Segment extends string> = Segment extends `${infer Name}[]` ? Name : Segment;
type RestOf<Path extends string, Name extends string> = Path extends `${Name}.${infer Rest}` | `${Name}[].${infer Rest}`
  ? Rest
  : never;
type Left<Value, Path extends string> = [Path] extends [never]
  ? Value
  : Value extends readonly (infer Element)[]
    ? AnalyticsData<Element, Path>[]
    : Value extends object
      ? AnalyticsData<Value, Path>
      : Value;
