/** A QR code, drawn in the browser: what it says reaches no server. */
import { useMemo } from "react";
import { encode } from "uqr";

export default function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = useMemo(() => encode(text, { ecc: "M", border: 3 }), [text]);
  const path = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
  return (
    <svg viewBox={`0 0 ${size} ${size}`} width={200} height={200} role="img" aria-label={label} shapeRendering="crispEdges" style={{ background: "#ffffff", borderRadius: 8 }}>
      <path d={path} fill="#000000" />
    </svg>
  );
}
