// What each path of the API takes and answers with, found by the URL that a call is made with.

import type { paths } from "./api.d.ts";

/** "/studies/{study_id}/points" as `/studies/${string}/points`: the type of a template that has been filled in. */
type Filled<Path extends string> = Path extends `${infer Before}{${string}}${infer After}`
  ? `${Before}${string}${Filled<After>}`
  : Path;

/** The path of the document that a URL was written from; never, for one that the API does not have. */
type PathOf<Url extends string> = {
  [Path in keyof paths]: [Filled<Path>, Url] extends [Url, Filled<Path>] ? Path : never;
}[keyof paths];

type OperationOf<Url extends string, Method extends "get" | "post" | "patch"> = paths[PathOf<Url>][Method];

type Json<Response> = Response extends { content: { "application/json": infer Shape } } ? Shape : never;

type AnswerOf<Operation> = Operation extends { responses: infer Responses } ? Json<Responses[keyof Responses]> : never;

type QueryOf<Operation> = Operation extends { parameters: { query?: infer Query } } ? NonNullable<Query> : never;

/** The JSON that a request is answered with; unknown, so that nothing can be read of it, where the API has no such path. */
export type Answer<Url extends string, Method extends "get" | "post" | "patch"> = [PathOf<Url>] extends [never]
  ? unknown
  : AnswerOf<OperationOf<Url, Method>>;

/** The parameters of a GET; null and "" stand for one that is left out. */
export type Query<Url extends string> = {
  [Name in keyof QueryOf<OperationOf<Url, "get">>]: QueryOf<OperationOf<Url, "get">>[Name] | null | "";
};

/** The JSON that a request sends. */
export type Body<Url extends string, Method extends "post" | "patch"> =
  OperationOf<Url, Method> extends { requestBody?: infer Request } ? Json<NonNullable<Request>> : never;

/** The paths of the lists that answer page by page. */
export type ListPath = "/trials" | "/variants";

type Items = { [Path in ListPath]: Answer<Path, "get">["items"][number] };

/** One item of a list. */
export type ItemOf<Path extends ListPath> = Items[Path];
