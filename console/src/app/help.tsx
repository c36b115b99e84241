/** The keyboard shortcuts. */
import { Modal, Table } from "@mantine/core";
import { t } from "./i18n.ts";
import { NAVIGATION } from "./navigation.ts";
import { mayOpen } from "./permissions.ts";
import { useUser } from "./session.tsx";

export default function Help({ onClose }: { onClose: () => void }) {
  const user = useUser();
  const pages = NAVIGATION.flatMap(({ items }) => items).filter((item) => item.key && mayOpen(user, item));
  const rows: [string[], string][] = [
    [[t("Ctrl"), "K"], t("Find pages, products and documents")],
    [["/"], t("Search this list")],
    [["?"], t("This list of shortcuts")],
    [["Esc"], t("Close a dialog")],
    ...pages.map((page): [string[], string] => [["g", page.key as string], page.label]),
  ];
  return (
    <Modal opened onClose={onClose} title={t("Keyboard shortcuts")}>
      <Table>
        <Table.Tbody>
          {rows.map(([keys, label]) => (
            <Table.Tr key={label}>
              <Table.Td>{keys.map((key) => <kbd key={key} style={{ marginRight: 4 }}>{key}</kbd>)}</Table.Td>
              <Table.Td>{label}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
