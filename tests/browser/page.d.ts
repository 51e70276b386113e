// What surrounds the page's modules when they are joined into one script.

/** All texts of the page, by their keys, and their language, as a tag. */
declare const TEXTS: Record<string, string>;
declare const LANGUAGE: string;

/** What the server says of the person and of the host's settings. */
interface Settings {
  api: string;
  names: string | null;
  person: string;
  name: string;
  admin: boolean;
  signIn: string | null;
  home: string | null;
  confirmation: string | null;
  example: string;
  defaultName: string | null;
  forChosenOnly: boolean;
  parameters: Record<string, string[]>;
}

/** Where the page is: alone in its document, or in a shadow root of a page of the host's. */
interface Place {
  root: Document | ShadowRoot;
  /** What contains all of the page. */
  frame: HTMLElement;
  top: HTMLElement;
  main: HTMLElement;
  status: HTMLElement;
  /** The address that relative ones are relative to. */
  base: string;
  settings: Settings;
  /** Whether the fragment of the browser's address names the view. */
  fragment: boolean;
  alone: boolean;
  /** Aborted when the page is removed. */
  signal: AbortSignal;
}

declare const PLACE: Place;

/** Evaluates the modules of the page, each of which may use `PLACE`. */
declare function startPage(place: Place): void;
