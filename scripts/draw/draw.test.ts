import { expect, test } from '@jest/globals';
import { findWorkspaceRoot } from '@millrace/workspace/catalogue';
import { outdatedDocuments } from '../generated-documents/index.ts';
import { drawings, withDrawings } from './index.ts';
import { mermaidOf } from './mermaid.ts';

test('the drawings are up to date: if not, run npm run draw', () => {
  const root = findWorkspaceRoot(import.meta.dirname);
  expect(outdatedDocuments(root, drawings(root))).toEqual([]);
});

test('a drawing shows where states go, and which errors they catch', () => {
  const definition = {
    StartAt: 'Pay',
    States: {
      Pay: { Type: 'Task', Next: 'IsGift', Catch: [{ ErrorEquals: ['Refused', 'States.Timeout'], Next: 'Stop' }] },
      IsGift: { Type: 'Choice', Choices: [{ Next: 'Wrap' }], Default: 'Stop' },
      Wrap: { Type: 'Task', End: true, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Stop' }] },
      Stop: { Type: 'Fail' },
    },
  };

  expect(mermaidOf(definition).split('\n')).toEqual([
    'flowchart TD',
    '  start((start)) --> Pay',
    '  Pay --> IsGift',
    '  Pay -. Refused, no answer in time .-> Stop',
    '  IsGift{IsGift}',
    '  IsGift --> Wrap',
    '  IsGift --> Stop',
    '  Wrap --> ended((end))',
    '  Wrap -. any other error .-> Stop',
    '  Stop --> ended((end))',
  ]);
});

test('states that hold others cannot be drawn', () => {
  expect(() => mermaidOf({ StartAt: 'All', States: { All: { Type: 'Map', End: true } } })).toThrow(
    'All: states of type Map cannot be drawn',
  );
});

test('the rest of a README stays as it is', () => {
  const begin = '<!-- drawn from a.asl.json by npm run draw -->\n';
  const text = `before\n${begin}old\n<!-- end of drawing -->\nafter\n`;

  const drawn = withDrawings(text, () => ({ StartAt: 'A', States: { A: { Type: 'Succeed' } } }));

  expect(drawn).toMatch(/^before\n[\s\S]*A --> ended\(\(end\)\)\n```\n\n<!-- end of drawing -->\nafter\n$/);
  expect(drawn).not.toContain('old');
});
