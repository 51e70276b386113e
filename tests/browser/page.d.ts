// Declares the globals of the page's modules after they are joined into one script.

/** The texts of the page by key, and the tag of their language. */
declare const TEXTS: Record<string, string>;
declare const LANGUAGE: string;

/** The server's description of the signed-in person and of the host's settings. */
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

/** The place of the page: a document of its own, or a shadow root in the host's page. */
interface Place {
  root: Document | ShadowRoot;
  /** The element that contains the whole page. */
  frame: HTMLElement;
  top: HTMLElement;
  main: HTMLElement;
  status: HTMLElement;
  /** The base of relative URLs. */
  base: string;
  settings: Settings;
  /** Whether the fragment of the browser's URL names the view. */
  fragment: boolean;
  alone: boolean;
  /** Aborted when the page is removed. */
  signal: AbortSignal;
}

declare const PLACE: Place;

/** Runs the modules of the page with this place as `PLACE`. */
declare function startPage(place: Place): void;
