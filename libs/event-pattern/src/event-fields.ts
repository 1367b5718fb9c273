import { JsonArray, type JsonNode, JsonObject, type JsonScalar } from './json-document.ts';

/** One object or array that is an element of an array of the event. */
export interface ArrayElement {
  readonly id: number;
  readonly array: { readonly path: string; end: number };
  readonly parent: ArrayElement | undefined;
  /** The positions of its fields: from `start` up to, not including, `end`. */
  readonly start: number;
  end: number;
}

/** One scalar of the event. */
export interface Field {
  readonly value: JsonScalar;
  /** Its place among all fields of the event, in the order written. */
  readonly position: number;
  /** The innermost array element it stands in. A scalar that is itself an array's element does not count as inside one. */
  readonly element: ArrayElement | undefined;
}

const noFields: readonly Field[] = [];

/**
 * An event laid out for matching: its scalars by dotted path (`detail.lines.sku`), each with the array elements around it.
 * Empty objects and arrays leave no field. A name holding a dot is the same path as the objects it spells.
 */
export class EventFields {
  readonly #byPath = new Map<string, Field[]>();
  #fieldCount = 0;
  #elementCount = 0;

  constructor(event: JsonObject) {
    this.#addObject(event, '', undefined);
  }

  /** All fields at a path, in the order written. */
  at(path: string): readonly Field[] {
    return this.#byPath.get(path) ?? noFields;
  }

  #addObject(object: JsonObject, path: string, element: ArrayElement | undefined): void {
    for (const [name, value] of object.members) this.#add(value, path === '' ? name : `${path}.${name}`, element);
  }

  #add(value: JsonNode, path: string, element: ArrayElement | undefined): void {
    if (value instanceof JsonObject) this.#addObject(value, path, element);
    else if (value instanceof JsonArray) this.#addArray(value, path, element);
    else {
      const field = { value, position: this.#fieldCount, element };
      this.#fieldCount += 1;
      const fields = this.#byPath.get(path);
      if (fields) fields.push(field);
      else this.#byPath.set(path, [field]);
    }
  }

  #addArray(node: JsonArray, path: string, parent: ArrayElement | undefined): void {
    const array = { path, end: 0 };
    for (const item of node.items) {
      if (item instanceof JsonObject || item instanceof JsonArray) {
        const element = { id: this.#elementCount, array, parent, start: this.#fieldCount, end: 0 };
        this.#elementCount += 1;
        this.#add(item, path, element);
        element.end = this.#fieldCount;
      } else this.#add(item, path, parent);
    }
    array.end = this.#fieldCount;
  }
}
