// CommonJS without types: it has to run on versions of Node that the rest does not run on.
const { existsSync } = require('node:fs');
const { join } = require('node:path');

/** The version on which everything is tested and deployed. */
const neededMajor = 24;

/**
 * @param {string} version of Node, e.g. `20.19.5`
 * @param {string} root folder of package.json
 * @returns {string | undefined} what to do; undefined when all is well
 */
function problemWithNode(version, root) {
  if (Number.parseInt(version, 10) >= neededMajor) return undefined;
  const needed = `Millrace runs on Node ${neededMajor} or later, and this is Node ${version}.`;
  const installed = join(root, 'node_modules', 'node');
  if (!existsSync(installed)) return `${needed} Run npm ci, which installs it for the npm scripts.`;
  if (!existsSync(join(installed, 'bin', 'node'))) {
    return `${needed} The package "node" has it, but its install script has not run: run npm rebuild node, or npm ci without --ignore-scripts.`;
  }
  return `${needed} The package "node" has it: start commands with npm run or npx, which find it.`;
}

exports.problemWithNode = problemWithNode;
