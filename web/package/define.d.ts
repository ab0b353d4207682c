// Loaded for what it does: the elements are registered under their names.
import './elements.js';

export {};
