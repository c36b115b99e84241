/** What the gateway has written into the page. */
const read = (name: string): string => document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";
const given = (value: string): string => (value.startsWith("__") ? "" : value);

/** The path under which a proxy publishes the gateway; empty at the root. */
export const PATH_PREFIX = given(read("path-prefix"));
/** The nonce of the content security policy, for style elements. */
export const NONCE = given(read("csp-nonce"));
