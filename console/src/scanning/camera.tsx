/** The camera's picture, read for barcodes until it is closed. Loaded on demand, with its decoder. */
import { useEffect, useRef, useState } from "react";
import { Alert, Text } from "@mantine/core";
import { prepareZXingModule, readBarcodes, type ReaderOptions } from "zxing-wasm/reader";
import decoderUrl from "zxing-wasm/reader/zxing_reader.wasm?url";
import { t } from "../app/i18n.ts";
import { SeenCodes } from "./seen-codes.ts";

const PAUSE_MS = 120;
const MAX_WIDTH = 1000;
const OPTIONS: ReaderOptions = { formats: ["EAN13", "EAN8", "UPCA", "UPCE", "Code128", "Code39", "ITF", "QRCode", "DataMatrix"], maxNumberOfSymbols: 4 };

prepareZXingModule({ overrides: { locateFile: () => decoderUrl } });

/** Why there is no picture. */
function explain(error: unknown): string {
  const { name, message } = error as DOMException;
  if (name === "NotAllowedError") return t("The browser does not allow this page to use the camera. Allow it in the browser's settings for this page.");
  if (name === "NotFoundError") return t("This device has no camera.");
  if (name === "NotReadableError") return t("Another program uses the camera.");
  return message;
}

export default function Camera({ onCode }: { onCode: (code: string) => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const handler = useRef(onCode);
  handler.current = onCode;
  const [problem, setProblem] = useState("");
  const [last, setLast] = useState("");
  useEffect(() => {
    const closed = new AbortController();
    const take = (code: string): void => {
      setLast(code);
      handler.current(code);
    };
    void watch(video.current as HTMLVideoElement, take, closed.signal).catch((error) => setProblem(explain(error)));
    return () => closed.abort();
  }, []);
  if (problem) return <Alert color="orange" variant="outline" role="alert">{problem}</Alert>;
  return (
    <div className="camera">
      <video ref={video} muted playsInline aria-label={t("Picture of the camera")} />
      <Text size="sm" role="status">{last ? t("Read: {{code}}", { code: last }) : t("Hold a barcode in front of the camera.")}</Text>
    </div>
  );
}

/** Show the camera's picture and report its codes until the signal ends it. */
async function watch(video: HTMLVideoElement, onCode: (code: string) => void, signal: AbortSignal): Promise<void> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  const stop = (): void => {
    for (const track of stream.getTracks()) track.stop();
  };
  if (signal.aborted) return stop();
  signal.addEventListener("abort", stop);
  video.srcObject = stream;
  await video.play();
  const seen = new SeenCodes();
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  while (!signal.aborted) {
    const codes = await codesOf(video, context);
    if (!signal.aborted) for (const code of seen.see(codes, performance.now())) onCode(code);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

async function codesOf(video: HTMLVideoElement, context: CanvasRenderingContext2D): Promise<string[]> {
  const scale = Math.min(1, MAX_WIDTH / video.videoWidth);
  const [width, height] = [Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale)];
  if (width === 0) return [];
  Object.assign(context.canvas, { width, height });
  context.drawImage(video, 0, 0, width, height);
  const results = await readBarcodes(context.getImageData(0, 0, width, height), OPTIONS);
  return results.filter(({ isValid, text }) => isValid && text).map(({ text }) => text);
}
