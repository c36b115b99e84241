/** A button that opens a panel below it: the browser's popover, which closes with Escape and a click elsewhere. */
import { type ReactNode, useId, useRef, useState } from "react";
import { Button } from "@mantine/core";

const MARGIN = 8;

interface PopoverProps {
  label: ReactNode;
  /** Names the panel. */
  title: string;
  onOpen?: () => void;
  children: (close: () => void) => ReactNode;
}

export function PopoverButton({ label, title, onOpen, children }: PopoverProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  const place = (): void => {
    if (!button.current || !panel.current) return;
    const { bottom, left } = button.current.getBoundingClientRect();
    const { width, height } = panel.current.getBoundingClientRect();
    panel.current.style.left = `${Math.max(MARGIN, Math.min(left, innerWidth - width - MARGIN))}px`;
    panel.current.style.top = `${Math.max(MARGIN, Math.min(bottom + 4, innerHeight - height - MARGIN))}px`;
  };
  return (
    <>
      <Button ref={button} variant="default" size="xs" popoverTarget={id} aria-expanded={isOpen}>{label}</Button>
      <div
        ref={(element) => {
          panel.current = element;
          if (!element || !isOpen) return;
          const observer = new ResizeObserver(place); // the content arrives after the panel has opened
          observer.observe(element);
          return () => observer.disconnect();
        }}
        id={id}
        popover="auto"
        role="group"
        aria-label={title}
        className="popover"
        onToggle={(event) => {
          setOpen(event.newState === "open");
          if (event.newState === "open") onOpen?.();
        }}
      >
        {isOpen ? children(() => panel.current?.hidePopover()) : null}
      </div>
    </>
  );
}
