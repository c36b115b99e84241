// What a page with a till loads, for the test of its size.
export * from "./src/index.js";
export * from "./src/till.js";
