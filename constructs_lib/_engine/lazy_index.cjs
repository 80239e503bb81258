'use strict';
// Required by Node while jsii's kernel starts (see bindings.py). Where the kernel asks for a package's lib/index.js,
// which requires every one of its files, it gets the lib/lazy-index.js that the same package ships instead.
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');

const EAGER = path.join(path.sep, 'lib', 'index.js');
// The kernel resolves packages from a temporary folder of its own. Nobody else may be redirected: the lazy index has
// no __esModule mark and no enumerable names, so `import * as aws` of compiled TypeScript would find it empty.
const KERNEL = /^jsii-kernel-[0-9A-Za-z]{6}$/;

const resolveFilename = Module._resolveFilename;

Module._resolveFilename = function (request, parent, ...rest) {
  const file = resolveFilename.call(this, request, parent, ...rest);
  if (typeof parent?.filename !== 'string' || !KERNEL.test(path.basename(parent.filename))) return file;
  if (!file.endsWith(EAGER)) return file;
  const lazy = path.join(path.dirname(file), 'lazy-index.js');
  return fs.existsSync(lazy) ? lazy : file;
};
