/** Builds the console into `CONSOLE_OUTPUT`; the client library is compiled from its sources in this repository. */
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const local = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const VENDORS: [string, RegExp][] = [
  ["react", /node_modules\/(react|react-dom|scheduler)\//],
  ["mantine", /node_modules\/@mantine\/(core\/esm\/core|hooks)/],
];

export default defineConfig({
  base: "./",
  plugins: [react()],
  resolve: {
    alias: {
      "@stockbuddy/client": local("../clients/typescript/src/index.ts"),
      "openapi-fetch": local("node_modules/openapi-fetch"),
    },
  },
  build: {
    outDir: process.env.CONSOLE_OUTPUT ?? "../build/console/site",
    emptyOutDir: true,
    assetsDir: "console",
    assetsInlineLimit: 0,
    target: "es2022",
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    manifest: "manifest.json",
    rolldownOptions: {
      output: { codeSplitting: { groups: VENDORS.map(([name, test]) => ({ name, test })) } },
    },
  },
});
