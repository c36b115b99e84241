/** Reads barcodes for a page: from a scanner anywhere on the page, and from the camera after a click. */
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from "react";
import { Button, Text } from "@mantine/core";
import { messageOf } from "../app/api.ts";
import { t } from "../app/i18n.ts";
import { announce } from "../app/reads.ts";
import { Loading } from "../parts/page.tsx";
import { listenForScans } from "./scanner.ts";

const Camera = lazy(() => import("./camera.tsx"));
/** Browsers offer cameras on HTTPS and on this computer only. */
const hasCameras = isSecureContext && "mediaDevices" in navigator;

export function CodeReader({ onCode }: { onCode: (code: string) => Promise<void> }) {
  const [isOpen, setOpen] = useState(false);
  const handler = useRef(onCode);
  handler.current = onCode;
  const take = useCallback((code: string): void => void handler.current(code).catch((error) => announce(messageOf(error), { isError: true })), []);
  useEffect(() => listenForScans(take), [take]);
  return (
    <div className="code-reader no-print">
      <Button size="xs" variant="default" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>{isOpen ? t("Close the camera") : t("Scan with the camera")}</Button>
      {isOpen && !hasCameras ? <Text size="sm" role="alert">{t("The camera needs HTTPS: open this page by an address that begins with https://.")}</Text> : null}
      {isOpen && hasCameras ? <Suspense fallback={<Loading />}><Camera onCode={take} /></Suspense> : null}
    </div>
  );
}
