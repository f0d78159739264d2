// What GraphiQL may keep in the browser: how the page looks, and nothing that was
// typed. Tokens stand in headers, and passwords in the variables and the text of
// obtainKrakenToken; tabs and history would hold all of these. So all else is
// kept in memory, and is gone with the page.
const lasting = new Set(["theme", "visiblePlugin", "docExplorerFlex", "editorFlex", "secondaryEditorFlex"].map((name) => `graphiql:${name}`));
const memory = new Map();

export const storage = {
  getItem(key) {
    if (!lasting.has(key)) return memory.get(key) ?? null;
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is off
    }
  },
  setItem(key, value) {
    if (lasting.has(key)) localStorage.setItem(key, value);
    else memory.set(key, value);
  },
  removeItem(key) {
    memory.delete(key);
    try {
      localStorage.removeItem(key);
    } catch {
      // storage is off
    }
  },
  clear() {
    memory.clear();
    try {
      for (const key of Object.keys(localStorage)) if (key.startsWith("graphiql:")) localStorage.removeItem(key);
    } catch {
      // storage is off
    }
  },
  get length() {
    return memory.size;
  },
};
