// What the server puts in front of the page's modules: all texts, by their keys.
declare const TEXTS: Record<string, string>;
