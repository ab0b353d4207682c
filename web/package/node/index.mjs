// The same instance for import and require: a prompt made by one is a prompt for the other.
import spareKey from './index.cjs';

export const { init, initSync, format, check, edit, sheet, SavePrompt } = spareKey;
export default init;
