// jest's transform: Node's own type stripping, which keeps every line and column where it was.
const { stripTypeScriptTypes } = require('node:module');

process.removeAllListeners('warning'); // stripTypeScriptTypes says at every start that it is experimental

module.exports = {
  process: (source) => ({ code: stripTypeScriptTypes(source, { mode: 'strip' }) }),
};
