// Loaded into every Node.js that MiniStack starts for a function. Lambda's own runtime finds a handler in a .cjs file;
// MiniStack's looks for .js and .mjs alone.
const Module = require('node:module');

Module._extensions['.cjs'] ??= Module._extensions['.js'];
