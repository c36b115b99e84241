/** Colours with enough contrast in both schemes, and defaults of components. */
import { createTheme, type CSSVariablesResolver } from "@mantine/core";

export const theme = createTheme({
  colors: { dark: ["#d5dbe2", "#a9b4c0", "#8b97a4", "#697583", "#3d4651", "#2b333c", "#232a32", "#1b2027", "#161b21", "#11151a"] },
  primaryColor: "cyan",
  primaryShade: { light: 9, dark: 9 },
  defaultRadius: "md",
  cursorType: "pointer",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif",
  headings: { fontWeight: "650", sizes: { h1: { fontSize: "1.5rem" }, h2: { fontSize: "1.1rem" }, h3: { fontSize: "1rem" } } },
  components: {
    Modal: { defaultProps: { attributes: { header: { role: "none" } }, centered: true, closeButtonProps: { "aria-label": "Close" }, overlayProps: { backgroundOpacity: 0.45 } } },
    Paper: { defaultProps: { withBorder: true, p: "md" } },
  },
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#f7f8fa",
    "--mantine-color-dimmed": "#55606b",
    "--mantine-color-placeholder": "#5f6a75",
    "--mantine-color-error": "#b3201f",
    "--mantine-color-anchor": "#0b6072",
    "--console-surface": "#ffffff",
    "--console-line": "#dde2e8",
    "--console-hover": "#eef3f6",
    "--console-good": "#1c6b38",
    "--console-bad": "#b3201f",
    "--console-warn": "#8a5300",
    "--console-series": "#0b7285",
    "--console-series-2": "#c2570c",
  },
  dark: {
    "--mantine-color-body": "#14181d",
    "--mantine-color-dimmed": "#a9b4c0",
    "--mantine-color-placeholder": "#97a3af",
    "--mantine-color-error": "#ff9a94",
    "--mantine-color-anchor": "#6fd3e6",
    "--console-surface": "#1b2027",
    "--console-line": "#323a44",
    "--console-hover": "#242b33",
    "--console-good": "#7fdca0",
    "--console-bad": "#ff9a94",
    "--console-warn": "#ffc36b",
    "--console-series": "#4cc3d9",
    "--console-series-2": "#ffa05c",
  },
});
