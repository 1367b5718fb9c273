import { expect, test } from '@jest/globals';
import { removeRedundantDependencies } from './redundant-dependencies.ts';

/** What is left of a DependsOn beside some properties. */
function left(DependsOn: string | string[], Properties: Record<string, unknown>) {
  const resource = { Type: 'AWS::Lambda::Function', DependsOn, Properties };
  removeRedundantDependencies({ Function: resource });
  return (resource as { DependsOn?: unknown }).DependsOn;
}

test.each([
  ['Ref', { TableName: { Ref: 'Table' } }],
  ['GetAtt as a list', { Role: { 'Fn::GetAtt': ['Table', 'Arn'] } }],
  ['GetAtt as text', { Role: { 'Fn::GetAtt': 'Table.Arn' } }],
  ['Sub', { Target: { 'Fn::Sub': `arn:\${AWS::Partition}:\${Table.Arn}/*` } }],
  ['Sub with variables', { Target: { 'Fn::Sub': [`\${name}`, { name: { Ref: 'Table' } }] } }],
  ['a deep reference', { Environment: { Variables: { ALL: { 'Fn::Join': ['', ['a', { Ref: 'Table' }]] } } } }],
])('a dependency that is already there by %s goes', (_, properties) => {
  expect(left(['LogGroup', 'Table'], properties)).toEqual(['LogGroup']);
  expect(left('Table', properties)).toBeUndefined();
});

test.each([
  ['nothing refers to it', {}],
  ['only a branch refers to it', { Role: { 'Fn::If': ['IsLive', { Ref: 'Table' }, 'none'] } }],
  ['the name is a variable of Sub', { Target: { 'Fn::Sub': [`\${Table}`, { Table: 'a text' }] } }],
  ['the text only looks like it', { Target: { 'Fn::Sub': `\${!Table}` }, Name: 'Table' }],
])('a dependency stays where %s', (_, properties) => {
  expect(left(['LogGroup', 'Table'], properties)).toEqual(['LogGroup', 'Table']);
  expect(left('Table', properties)).toEqual(['Table']);
});
