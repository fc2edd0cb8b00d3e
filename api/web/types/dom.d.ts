// What elements are made of: see lib/dom.js and lib/table.js.

/** What an element can hold: a string becomes text; null, undefined and false nothing. */
export type Child = Node | string | number | null | undefined | false | readonly Child[];

export type Tag = keyof HTMLElementTagNameMap;

/** Listeners of an element's events; the element itself is the event's `currentTarget`. */
export type Listeners<T extends Tag> = {
  [Name in keyof HTMLElementEventMap]?: (
    event: HTMLElementEventMap[Name] & { currentTarget: HTMLElementTagNameMap[T] },
  ) => unknown;
};

/** true sets an attribute without a value; false, null and undefined leave it out. */
type Value = string | number | boolean | null | undefined;

type Names =
  | "accept" | "alt" | "autocomplete" | "checked" | "class" | "colspan" | "datetime" | "disabled" | "download" | "for"
  | "height" | "hidden" | "href" | "id" | "loading" | "max" | "method" | "min" | "name" | "placeholder" | "rel"
  | "required" | "role" | "rows" | "scope" | "selected" | "spellcheck" | "src" | "step" | "style" | "tabindex" | "title"
  | "type" | "value" | "width" | `aria-${string}` | `data-${string}`;

export type Attributes<T extends Tag = Tag> = { [Name in Names]?: Value } & { on?: Listeners<T> };

/** A part of a view that is drawn again by `update`. */
export interface Part {
  element: HTMLElement;
  update(): unknown;
}

/** A column of a table whose rows are all there. */
export interface Column<Row> {
  label: string;
  cell(row: Row): Child;
  /** Numbers are aligned to the right. */
  numeric?: boolean;
  /** Hidden on a phone. */
  wide?: boolean;
}

/** A column of a list that the server sorts. */
export interface ListColumn<Row> extends Column<Row> {
  key: string;
  /** What the server sorts it by. */
  sort?: string;
  /** Hidden until it is chosen. */
  extra?: boolean;
}
