/** Registers the service worker, with which pages also open without a connection. It needs HTTPS, or this computer. */
import { PATH_PREFIX } from "../app/page.ts";

export const opensOffline = isSecureContext && "serviceWorker" in navigator;

/** Once the page has loaded, so that the first load has the connection for itself. */
export function registerServiceWorker(): void {
  if (!opensOffline) return;
  const register = (): void => void navigator.serviceWorker.register(`${PATH_PREFIX}/service-worker.js`, { updateViaCache: "none" }).catch(() => undefined);
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}
