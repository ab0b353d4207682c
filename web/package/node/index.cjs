'use strict';
// Under Node the module is read and started by the first require: init() has nothing left to do.
const wasm = require('./spare_key.js');

const init = async () => {};
const initSync = () => {};

module.exports = {
  default: init,
  init,
  initSync,
  format: wasm.format,
  check: wasm.check,
  edit: wasm.edit,
  sheet: wasm.sheet,
  SavePrompt: wasm.SavePrompt,
};
