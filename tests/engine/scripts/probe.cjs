'use strict';
// Required by a Node process through NODE_OPTIONS; notes which files of the AWS bindings it had loaded when it ended.
const fs = require('node:fs');
const path = require('node:path');

process.on('exit', () => {
  const marker = `${path.sep}provider-aws${path.sep}`;
  const files = Object.keys(require.cache).filter((file) => file.includes(marker));
  const index = files.find((file) => file.endsWith('lazy-index.js'));
  const note = {
    options: process.env.NODE_OPTIONS,
    files: files.map((file) => file.slice(file.lastIndexOf(marker) + marker.length)).sort(),
    names: index ? Object.getOwnPropertyNames(require.cache[index].exports) : [],
  };
  fs.writeFileSync(path.join(process.env.PROBE_NOTES, `${process.pid}.json`), JSON.stringify(note));
});
