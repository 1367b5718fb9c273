/** What is in a list has its neighbours on itself, so that it can be removed from the middle at once. */
export interface Linked<Item> {
  previous: Item | undefined;
  next: Item | undefined;
}

/** A doubly linked list. An item may be in one list at a time. */
export class LinkedList<Item extends Linked<Item>> {
  first: Item | undefined;
  last: Item | undefined;

  append(item: Item): void {
    item.previous = this.last;
    item.next = undefined;
    if (this.last) this.last.next = item;
    else this.first = item;
    this.last = item;
  }

  remove(item: Item): void {
    if (item.previous) item.previous.next = item.next;
    else this.first = item.next;
    if (item.next) item.next.previous = item.previous;
    else this.last = item.previous;
    item.previous = undefined;
    item.next = undefined;
  }
}
