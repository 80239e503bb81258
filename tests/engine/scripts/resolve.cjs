'use strict';
// Prints which file of a package each kind of requester gets. Argument: a folder with made-up packages.
const { createRequire } = require('node:module');
const path = require('node:path');

const folder = process.argv[2];
const as = (requester) => (name) => path.relative(folder, createRequire(path.join(folder, requester)).resolve(name));
const kernel = as('jsii-kernel-aB3dE6');

console.log(JSON.stringify({
  kernel: kernel('bindings'),
  'kernel, package without a lazy index': kernel('plain'),
  'kernel, another file': kernel('bindings/lib/vpc.js'),
  'kernel, another folder': kernel('bindings/dist/index.js'),
  'kernel, its own choice': kernel('bindings/lib/lazy-index.js'),
  'a file': as('main.js')('bindings'),
  'a file named like the kernel': as('jsii-kernel-notes.js')('bindings'),
  'a name that begins like it': as('jsii-kernel-aB3dE6x')('bindings'),
  'a name that ends like it': as('my-jsii-kernel-aB3dE6')('bindings'),
  'a file inside the kernel': as('jsii-kernel-aB3dE6/main.js')('bindings'),
}));
