/** Shows the console. */
import "@mantine/core/styles/baseline.css";
import "@mantine/core/styles/default-css-variables.css";
import "@mantine/core/styles/global.css";
import "./app/mantine.ts";
import "./app/console.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { createRoot } from "react-dom/client";
import { NONCE } from "./app/page.ts";
import { queries } from "./app/queries.ts";
import { router } from "./app/router.tsx";
import { cssVariables, theme } from "./app/theme.ts";
import { registerServiceWorker } from "./offline/registration.ts";

if (NONCE) setNonce(NONCE);
registerServiceWorker();

createRoot(document.getElementById("root") as HTMLElement).render(
  <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto" getStyleNonce={() => NONCE}>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
      <Notifications position="top-right" />
    </QueryClientProvider>
  </MantineProvider>,
);
