'use strict';
// Required by a Node process through NODE_OPTIONS; notes which files of the AWS bindings it had loaded when it ended.
const fs = require('node:fs');
const path = require('node:path');

// jsii ends a kernel that takes more than five seconds to exit, as on a busy machine: it then exits as if nothing happened.
process.on('SIGTERM', () => {});

process.on('exit', () => {
  const marker = `${path.sep}provider-aws${path.sep}`;
  const files = Object.keys(require.cache).filter((file) => file.includes(marker));
  const index = files.find((file) => file.endsWith('lazy-index.js'));
  const note = {
    options: process.env.NODE_OPTIONS,
    files: files.map((file) => file.slice(file.lastIndexOf(marker) + marker.length)).sort(),
    names: index ? Object.getOwnPropertyNames(require.cache[index].exports) : [],
  };
  const written = path.join(process.env.PROBE_NOTES, `${process.pid}.json`);
  fs.writeFileSync(`${written}.partial`, JSON.stringify(note));
  fs.renameSync(`${written}.partial`, written);
});
