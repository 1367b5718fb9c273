import { describe, expect, test } from '@jest/globals';
import { type LineageNode, lineageTree } from './lineage-tree.ts';
import type { LoggedEvent } from './logged-event.ts';

/** An event that happened so many milliseconds after the first one. */
function logged(id: string, ms: number, causationId?: string): LoggedEvent {
  const time = new Date(Date.UTC(2026, 0, 1) + ms).toISOString();
  return {
    ...{ id, detailType: 'Happened.v1', source: 'millrace.test', service: 'test', subject: 's', correlationId: 'c' },
    ...(causationId !== undefined && { causationId }),
    ...{ time, receivedAt: time },
  };
}

type Outline = string | [string, ...Outline[]];

/** A tree by its ids. */
const outlineOf = ({ id, events }: LineageNode): Outline => (events.length === 0 ? id : [id, ...events.map(outlineOf)]);
const outline = (...events: LoggedEvent[]) => lineageTree('c', events).events.map(outlineOf);
/** Every node of a tree, those above before those below. */
const nodesOf = (nodes: LineageNode[]): LineageNode[] => nodes.flatMap((node) => [node, ...nodesOf(node.events)]);

describe('the tree of a lineage', () => {
  test('has each event below its cause, in the order of time, whatever order they come in', () => {
    const events = [
      logged('e', 50, 'b'),
      logged('d', 40, 'a'),
      logged('c', 30, 'b'),
      logged('b', 20, 'a'),
      logged('a', 0),
    ];

    expect(outline(...events)).toEqual([['a', ['b', 'c', 'e'], 'd']]);
    expect(outline(...events.reverse())).toEqual([['a', ['b', 'c', 'e'], 'd']]);
  });

  test('tells when it began, how long it took, and the delay of each hop', () => {
    const tree = lineageTree('c', [logged('a', 0), logged('b', 20, 'a'), logged('c', 15, 'b')]);

    expect(tree).toMatchObject({ correlationId: 'c', startedAt: '2026-01-01T00:00:00.000Z', durationMs: 20 });
    expect(tree).not.toHaveProperty('causationId');
    // The clocks of two machines differ.
    expect(nodesOf(tree.events).map(({ delayMs }) => delayMs)).toEqual([undefined, 20, -5]);
  });

  test('has an event whose cause is not known under its root, marked', () => {
    const tree = lineageTree('c', [logged('a', 0), logged('late', 50, 'expired'), logged('b', 20, 'a')]);

    expect(tree.events.map(outlineOf)).toEqual([['a', 'b'], 'late']);
    expect(nodesOf(tree.events).map(({ orphan }) => orphan)).toEqual([undefined, undefined, true]);
  });

  test('names what caused its first event', () => {
    expect(lineageTree('c', [logged('b', 20, 'request-1'), logged('d', 30, 'b')])).toMatchObject({
      causationId: 'request-1',
    });
  });

  test('has each event once, though they say that they caused each other', () => {
    expect(outline(logged('a', 0, 'c'), logged('b', 10, 'a'), logged('c', 20, 'b'), logged('self', 5, 'self'))).toEqual(
      [['a', ['b', 'c']], 'self'],
    );
  });
});
