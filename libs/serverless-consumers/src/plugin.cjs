// What osls loads. On an old version of Node it says so, in place of an unknown file extension ".ts".
const { join } = require('node:path');
const { problemWithNode } = require('@millrace/command-line/node-version');

const problem = problemWithNode(process.versions.node, join(__dirname, '../../..'));
if (problem !== undefined) throw new Error(problem);

module.exports = require('./index.ts').default;
