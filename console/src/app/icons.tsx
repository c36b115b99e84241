/** The icons of the navigation, drawn on a grid of 20. */
const PATHS = {
  home: "M3 9l7-6 7 6v8h-5v-5H8v5H3z",
  scan: "M3 6V3h3M14 3h3v3M17 14v3h-3M6 17H3v-3M6 7v6M9 7v6M11.5 7v6M14 7v6",
  sell: "M3 4h2l2 9h8l2-6H6M8 17a.5.5 0 100-1 .5.5 0 000 1zM14 17a.5.5 0 100-1 .5.5 0 000 1z",
  product: "M3 6.5L10 3l7 3.5v7L10 17l-7-3.5zM3 6.5L10 10l7-3.5M10 10v7",
  levels: "M3 17V9M8 17V4M13 17v-6M17 17H2",
  movements: "M4 7h11l-3-3M16 13H5l3 3",
  transfer: "M2 6h10v8H2zM12 9h3l3 3v2h-6zM5 16a1 1 0 100-2 1 1 0 000 2zM15 16a1 1 0 100-2 1 1 0 000 2z",
  count: "M5 3h10v14H5zM8 7h4M8 10h4M8 13h2",
  sales: "M5 2.5h10v15l-2.5-1.5L10 17.5 7.500 16 5 17.500zM8 7h4M8 10.500h4",
  people: "M7 9a3 3 0 100-6 3 3 0 000 6zM2 17c0-3 2-5 5-5s5 2 5 5M13 4a3 3 0 010 5M15 12c2 .6 3 2.400 3 5",
  order: "M4 3h9l3 3v11H4zM7 9h6M7 12h6M10 15h3",
  warehouse: "M2 8l8-5 8 5v9H2zM6 17v-6h8v6",
  tag: "M3 3h7l7 7-7 7-7-7zM6.500 6.500h.01",
  money: "M2 5h16v10H2zM10 12.500a2.500 2.500 0 100-5 2.500 2.500 0 000 5zM5 8v.01M15 12v.01",
  report: "M3 17h14M5 14l3-4 3 2 5-7",
  clock: "M10 17a7 7 0 100-14 7 7 0 000 14zM10 6v4.500l3 1.500",
  hourglass: "M5 3h10M5 17h10M6 3c0 4 3 5 4 7-1 2-4 3-4 7M14 3c0 4-3 5-4 7 1 2 4 3 4 7",
  upload: "M10 13V4M6.500 7.500L10 4l3.500 3.500M3 14v3h14v-3",
  settings: "M3 6h7M14 6h3M12 8a2 2 0 100-4 2 2 0 000 4zM3 14h3M10 14h7M8 16a2 2 0 100-4 2 2 0 000 4z",
  webhook: "M6 15a2.500 2.500 0 100-5h-.5M14 15a2.500 2.500 0 110-5M7 6a3 3 0 016 0c0 1-.5 2-1 2.500L9 13",
  audit: "M10 2l6 2.500V10c0 4-3 6.500-6 8-3-1.500-6-4-6-8V4.500zM7.500 10l2 2 3-4",
  bell: "M5 14V9a5 5 0 0110 0v5l1.500 1.500h-13zM8.500 17.500h3",
  health: "M2 10h4l2-5 4 10 2-5h4",
  events: "M11 2L4 11h5l-1 7 7-9h-5z",
  reserve: "M5 3h10v14l-5-4-5 4z",
  reorder: "M16 6a7 7 0 10.500 6M16 2v4h-4",
  app: "M3 3h5v5H3zM12 3h5v5h-5zM3 12h5v5H3zM14.500 12v5M12 14.500h5",
  role: "M7 10a3.500 3.500 0 100-7 3.500 3.500 0 000 7zM9.500 9l7 7M13 12.500l2-2M15.500 15l1.500-1.500",
  account: "M10 10a3.500 3.500 0 100-7 3.500 3.500 0 000 7zM3 17c.5-3.500 3-5 7-5s6.500 1.500 7 5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinejoin="round" strokeLinecap="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
